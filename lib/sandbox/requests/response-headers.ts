import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * For answers that are not pages: if a browser shows one, such as the HTML of a fault, it runs no script
 * and belongs to no origin.
 */
export const NO_PAGE_HEADERS = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
} as const;

/** Unless an answer says otherwise. */
const DEFAULT_HEADERS = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
} as const;

/** Every answer gets these headers, whatever writes it; only a page has its own policy. */
export function setCommonHeaders(response: ServerResponse, isPage: boolean, id: string): void {
  beforeHead(response, () => {
    const common = { ...DEFAULT_HEADERS, 'x-request-id': id, ...(isPage && NO_PAGE_HEADERS) };
    for (const [name, value] of Object.entries(common)) {
      if (!response.hasHeader(name)) response.setHeader(name, value);
    }
    if (isPage) return;
    for (const [name, value] of Object.entries(NO_PAGE_HEADERS)) response.setHeader(name, value);
  });
}

/**
 * Calls back when the status and the headers of the answer are known, and can still be changed:
 * every way to answer ends in `writeHead`, before the client can see anything of the answer.
 */
export function beforeHead(response: ServerResponse, prepare: () => void): void {
  const { writeHead } = response;
  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
    this.statusCode = status;
    const headers = rest.find((argument) => typeof argument === 'object') as
      OutgoingHttpHeaders | undefined;
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (value !== undefined) this.setHeader(name, value);
    }
    prepare();
    return Reflect.apply(writeHead, this, [this.statusCode]) as ServerResponse;
  } as ServerResponse['writeHead'];
}
