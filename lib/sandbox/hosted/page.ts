import { createHash } from 'node:crypto';
import { html, Html } from './html.js';

/** A page for the browser of a user. */
export interface Page {
  status: number;
  title: string;
  body: Html;
  /**
   * Whether its form may lead to other sites: browsers hold the redirect after a form to this too,
   * and the redirects after that. [CSP3 section 6.4.1]
   */
  leadsAway?: boolean;
}

const STYLE = `
  :root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
  main { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
  dt { font-weight: bold; }
  dd { margin: 0; overflow-wrap: anywhere; }
  fieldset { display: grid; gap: 0.75rem; padding: 1rem; }
  label { display: block; font-weight: bold; }
  textarea { box-sizing: border-box; width: 100%; font: 0.9rem monospace; }
  button { font: inherit; padding: 0.5rem 1rem; }
`;

/** Not in a template of markup: what is hashed stays as it is, however those are indented. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The whole document. The icon is empty: browsers would ask for `/favicon.ico`. */
export function documentOf({ title, body }: Page): string {
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
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.text;
}

/**
 * No script, nothing from anywhere, and no styles but ours. Whoever has the address of a page may
 * decide, so it is kept from caches, other sites and frames.
 */
export function headersOf({ leadsAway = false }: Page): Record<string, string> {
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
 * Also of redirects. The referrer stays within the sandbox: with none at all, browsers send the
 * forms of the page with the origin `null`, like those of a foreign one. [Fetch section 3.2]
 */
export const PRIVATE_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};
