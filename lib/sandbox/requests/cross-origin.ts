import type { ServerResponse } from 'node:http';
import { API_PATHS } from '../../wire/index.js';

/** A page may upload by itself, with the client token. [doc: reference/uploadimages, idscans] */
const OPEN_TO_PAGES: ReadonlySet<string> = new Set([API_PATHS.images, API_PATHS.idScans]);

/** Whether a page of any origin may ask for this. */
export function isOpenToPages(path: string): boolean {
  return OPEN_TO_PAGES.has(path);
}

/**
 * Lets a page of any origin read the answer, refusals too; without it a page sees no status at all.
 * ASSUMPTION: the real API knows the domains of the account. [doc: docs/settings]
 */
export function openToPages(path: string, response: ServerResponse): void {
  if (isOpenToPages(path)) response.setHeader('access-control-allow-origin', '*');
}
