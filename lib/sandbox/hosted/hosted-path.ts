/** Where the page of a transaction is: the claim follows. */
export const HOSTED_ROOT = '/hosted';

/** Where a client token opens that page. */
export const VERIFY_PATH = '/verify';

/** What a browser shows that is given the address of the sandbox alone. */
export const HOME_PATH = '/';

/** The icon of pages that name none, such as an answer in JSON. */
export const ICON_PATH = '/favicon.ico';

/** What browsers ask for by themselves. An API has none of these. */
const BROWSER_PATH = /^\/(?:apple-touch-icon[\w-]*\.png|robots\.txt|\.well-known\/.+)$/;

/** One part behind the root: a base URL may well end in `/hosted`. */
const HOSTED_PATH = new RegExp(`^${HOSTED_ROOT}/[^/]+/?$`);

const PAGES = new Set([HOME_PATH, VERIFY_PATH, ICON_PATH]);

/** Whether the path is one of a page for users, or of what a browser asks for beside it. */
export function isHostedPath(path: string): boolean {
  return PAGES.has(path) || HOSTED_PATH.test(path) || BROWSER_PATH.test(path);
}
