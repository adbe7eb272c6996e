import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { documentOf, headersOf, type Page, PRIVATE_HEADERS } from './page.js';

/** Answers browsers, in the same way on both platforms. */
@Injectable()
export class PageResponder {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  /** Sends a page. */
  send(response: unknown, page: Page): void {
    this.#reply(response, page.status, headersOf(page), documentOf(page));
  }

  /** Sends the browser somewhere else, with GET whatever it came with. [RFC 9110 section 15.4.4] */
  redirect(response: unknown, location: string): void {
    this.#reply(response, 303, { ...PRIVATE_HEADERS, Location: location }, '');
  }

  #reply(
    response: unknown,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void {
    const { httpAdapter } = this.adapterHost;
    for (const [name, value] of Object.entries(headers)) {
      httpAdapter.setHeader(response, name, value);
    }
    httpAdapter.reply(response, body, status);
  }
}
