import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ResponseWriter } from '../http/send-reply.js';
import { FRAME_SCRIPT, type FrameGreeting } from './frame-script.js';
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
  /** Only for the page that other sites frame: what it tells them. */
  greeting?: FrameGreeting;
}

/** Not inside a template, where the formatter would indent the hashed text. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_SOURCE = sourceOf(STYLE);
const SCRIPT_SOURCE = sourceOf(FRAME_SCRIPT);

/** Allows inline text of a page. [CSP3 section 2.3.1] */
function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

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
function documentOf({ title, body, greeting }: Page): string {
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
        ${greeting ? scriptElement(greeting) : []}
      </body>
    </html>`.text;
}

function scriptElement(greeting: FrameGreeting): Html {
  const attribute = html`data-greeting="${JSON.stringify(greeting)}"`;
  return new Html(`<script ${attribute.text}>${FRAME_SCRIPT}</script>`);
}

/**
 * Nothing from other sites, and only our own style; a script only in the page that other sites frame.
 * The address of a page is the permission to decide, so caches and other sites must not see it.
 */
function headersOf({ leadsAway = false, greeting }: Page): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    ...(greeting ? [`script-src ${SCRIPT_SOURCE}`] : []),
    'img-src data:',
    "base-uri 'none'",
    `form-action 'self'${leadsAway ? ' http: https:' : ''}`,
    `frame-ancestors ${greeting ? '*' : "'none'"}`,
  ];
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    ...PRIVATE_HEADERS,
    ...(!greeting && { 'X-Frame-Options': 'DENY' }),
  };
}

/**
 * For pages and redirects. The referrer stays within the sandbox; without any referrer, browsers would
 * send forms with the origin `null`, which the gate refuses. [Fetch section 3.2]
 */
const PRIVATE_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
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
