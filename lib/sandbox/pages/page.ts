import { createHash } from 'node:crypto';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Inject,
  Injectable,
  Logger,
} from '@nestjs/common';
import { ResponseWriter } from '../http/answers.js';
import { ApiException } from '../http/api-exception.js';
import { STYLE } from './style.js';

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup that needs no escaping. */
export class Html {
  constructor(readonly text: string) {}
}

/**
 * Markup with values. Strings are escaped for text and for quoted attributes.
 *
 * @example
 * html`<p>${customerUid}</p>`.text // '<p>&lt;b&gt;</p>' for '<b>'
 */
export function html(
  strings: TemplateStringsArray,
  ...values: (string | Html | readonly Html[])[]
): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(textOf)));
}

function textOf(value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return value.replaceAll(/[&<>"']/g, escapeCharacter);
  return value.map(textOf).join('');
}

function escapeCharacter(character: string): string {
  return ENTITIES[character] ?? character;
}

/** A page of the sandbox. */
export interface Page {
  status: number;
  title: string;
  body: Html;
  /**
   * Whether its form may lead to other sites. Browsers apply this to the redirects after a form, too.
   * [CSP3 section 6.4.1]
   */
  leadsAway?: boolean;
}

/** Not inside a template, where the formatter would indent the hashed text. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** A shield with a check mark. */
const MARK = html`<svg width="28" height="28" viewBox="0 0 24 24" aria-hidden="true">
  <path fill="currentColor" d="M12 2 4 5v6c0 5 3.4 9 8 11 4.6-2 8-6 8-11V5z" />
  <path
    class="tick"
    fill="none"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    d="m8.5 12 2.5 2.5 4.5-5"
  />
</svg>`;

/** The whole document, with an empty icon, since browsers would request `/favicon.ico`. */
function documentOf({ title, body }: Page): string {
  return html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - Berbix sandbox</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>${MARK}<a href="/">Berbix sandbox</a></header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.text;
}

/**
 * No scripts, nothing from other sites, and only our own style. The address of a page is the
 * permission to decide, so caches, other sites and frames must not see it.
 */
function headersOf({ leadsAway = false }: Page): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    'img-src data:',
    "base-uri 'none'",
    `form-action 'self'${leadsAway ? ' http: https:' : ''}`,
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    ...PRIVATE_HEADERS,
  };
}

/**
 * For pages and redirects. The referrer stays within the sandbox; without any referrer, browsers would
 * send forms with the origin `null`, which the gate refuses. [Fetch section 3.2]
 */
const PRIVATE_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Answers browsers. */
@Injectable()
export class PageResponder {
  constructor(@Inject(ResponseWriter) private readonly writer: ResponseWriter) {}

  /** Sends a page. */
  send(response: unknown, page: Page): void {
    this.writer.send(response, page.status, headersOf(page), documentOf(page));
  }

  /** Sends the browser to another address, with GET after any method. [RFC 9110 section 15.4.4] */
  redirect(response: unknown, location: string): void {
    this.writer.send(response, 303, { ...PRIVATE_HEADERS, Location: location });
  }
}

const REFUSAL_TITLES: Record<number, string> = {
  400: 'The request is not valid',
  401: 'The client token is not accepted',
  403: 'This transaction has no page',
  404: 'Not found',
  409: 'The verification is complete',
  410: 'This link is no longer valid',
};

/** Shows errors of the API as pages. */
@Catch()
export class PageExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('BerbixSandbox');

  constructor(@Inject(PageResponder) private readonly pages: PageResponder) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    if (error instanceof ApiException) {
      return this.#send(response, error.code, error.message);
    }
    this.#logger.error(error instanceof Error ? error.stack : String(error));
    this.#send(response, 500, 'This is a bug in nestjs-berbix; please report it.');
  }

  #send(response: unknown, status: number, message: string): void {
    const title = REFUSAL_TITLES[status] ?? 'Something went wrong';
    this.pages.send(response, { status, title, body: html`<p>${message}</p>` });
  }
}
