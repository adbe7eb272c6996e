/** Where the page of a transaction is: the claim follows. */
export const HOSTED_ROOT = '/hosted';

/** Where a client token opens that page. */
export const VERIFY_PATH = '/verify';

/** What a browser shows that is given the address of the sandbox alone. */
export const HOME_PATH = '/';

/** One part behind the root: a base URL may well end in `/hosted`. */
const HOSTED_PATH = new RegExp(`^${HOSTED_ROOT}/[^/]+/?$`);

/** Whether the path is one of a page for users. */
export function isHostedPath(path: string): boolean {
  return path === HOME_PATH || path === VERIFY_PATH || HOSTED_PATH.test(path);
}
