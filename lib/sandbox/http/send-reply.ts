import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Inject, Injectable, StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ApiException } from './api-exception.js';
import { type ApiJson, JSON_CONTENT_TYPE, toApiJson } from './api-json.js';

/** A complete answer. */
export interface Reply {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** Sends the whole answer. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  sendHead(response, reply);
  response.end(reply.body);
}

/** Sends the head, with the length of the whole body if the status allows one. */
export function sendHead(response: ServerResponse, { status, headers, body }: Reply): void {
  const length = isBodiless(status) ? {} : { 'content-length': body.length };
  response.writeHead(status, { ...headers, ...length });
}

/** [RFC 9110 section 6.4.1] */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** A refusal from outside of the Nest application. */
export function errorReply(error: ApiException): Reply {
  return jsonReply(error.code, { ...error.toBody() });
}

/** JSON, or a string that is sent unchanged. */
export function jsonReply(status: number, body: ApiJson): Reply {
  const text = typeof body === 'string' ? body : toApiJson(body);
  return { status, headers: { 'content-type': JSON_CONTENT_TYPE }, body: Buffer.from(text) };
}

/** Sends what a handler with `@Res()` writes itself, in the same way on both platforms. */
@Injectable()
export class ResponseWriter {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  /** @param headers must include the content type if there is a body */
  send(
    response: unknown,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer = '',
  ): void {
    const { httpAdapter } = this.adapterHost;
    for (const [name, value] of Object.entries(headers)) {
      httpAdapter.setHeader(response, name, value);
    }
    // The adapter for Express would write a Buffer as JSON.
    const content = typeof body === 'string' ? body : new StreamableFile(body);
    httpAdapter.reply(response, content, status);
  }
}
