import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * For answers that are not pages. A browser that shows one, such as the HTML of a fault, runs no
 * script in it and gives it no origin.
 */
export const INERT_HEADERS = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
} as const;

/** Answers may override these. */
const DEFAULT_HEADERS = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
} as const;

/** Adds them to every answer, whatever writes it; only pages can override {@link INERT_HEADERS}. */
export function setCommonHeaders(response: ServerResponse, isPage: boolean, id: string): void {
  beforeHead(response, () => {
    const common = { ...DEFAULT_HEADERS, 'x-request-id': id, ...(isPage && INERT_HEADERS) };
    for (const [name, value] of Object.entries(common)) {
      if (!response.hasHeader(name)) response.setHeader(name, value);
    }
    if (isPage) return;
    for (const [name, value] of Object.entries(INERT_HEADERS)) response.setHeader(name, value);
  });
}

/**
 * Calls back when status and headers are known and can still be changed: every answer goes through
 * `writeHead` before anything is sent.
 */
export function beforeHead(response: ServerResponse, prepare: () => void): void {
  const { writeHead } = response;
  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
    this.statusCode = status;
    const headers = rest.find((argument) => typeof argument === 'object') as
      | OutgoingHttpHeaders
      | undefined;
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (value !== undefined) this.setHeader(name, value);
    }
    prepare();
    return Reflect.apply(writeHead, this, [this.statusCode]) as ServerResponse;
  } as ServerResponse['writeHead'];
}
