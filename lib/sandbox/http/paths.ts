import { API_PATHS, FRAME_PATH } from '../../wire/index.js';

/** Home page of the sandbox. */
export const HOME_PATH = '/';

/** Asks for a client token, and opens the page of its transaction. */
export const VERIFY_PATH = '/verify';

/** The page of a transaction is one level below; see `auth/signed-links.ts`. */
export const HOSTED_ROOT = '/hosted';

/** Images of results are one level below; see `auth/signed-links.ts`. */
export const IMAGES_ROOT = '/images';

/** The reference page; its files and the OpenAPI document are one level below. */
export const REFERENCE_ROOT = '/reference';

/** Name of the OpenAPI document below {@link REFERENCE_ROOT}. */
export const DOCUMENT_NAME = 'openapi.json';

/** The script and the style of the console, the page at {@link HOME_PATH}, are one level below. */
export const CONSOLE_ROOT = '/console';

/** The control API, which is not part of the API of Berbix. */
export const CONTROL_ROOT = '/sandbox';

/** Browsers request it for pages that name no icon, such as a JSON document. */
export const ICON_PATH = '/favicon.ico';

/** Other paths that browsers request on their own. */
const BROWSER_PATH = /^\/(?:apple-touch-icon[\w-]*\.png|robots\.txt|\.well-known\/.+)$/;

/** Only one level deep, since the path of a base URL may start with `/hosted`, too. */
const HOSTED_PATH = new RegExp(`^${HOSTED_ROOT}/[^/]+/?$`);
const IMAGE_PATH = new RegExp(`^${IMAGES_ROOT}/[^/]+$`);
const CONSOLE_PATH = new RegExp(`^${CONSOLE_ROOT}/[\\w.-]+$`);
const REFERENCE_PATH = new RegExp(`^${REFERENCE_ROOT}(?:/(?:[\\w-][\\w.-]*)?)?$`);

const SINGLE_PAGES: ReadonlySet<string> = new Set([HOME_PATH, VERIFY_PATH, FRAME_PATH, ICON_PATH]);

/** A page of any origin may upload with the client token. [doc: reference/uploadimages, idscans] */
const UPLOAD_PATHS: ReadonlySet<string> = new Set([API_PATHS.images, API_PATHS.idScans]);

/** `/v0/`, the beginning of every path of the API. */
const API_ROOT = API_PATHS.tokens.slice(0, API_PATHS.tokens.indexOf('/', 1) + 1);

/** The parts of a request target. */
export interface RequestPath {
  path: string;
  /** With its question mark; empty if there is none. */
  query: string;
}

/**
 * Splits a request target, and drops what a base URL has before `/v0/`, as a proxy would:
 * `/berbix/v0/tokens`. That prefix may be any path, `/sandbox` too, since no path of the sandbox
 * itself contains `/v0/`. A fragment, which does not belong there, is dropped, as routers do.
 */
export function parseRequestPath(target: string): RequestPath {
  const [sent = ''] = target.split('#', 1);
  const mark = sent.indexOf('?');
  const path = mark === -1 ? sent : sent.slice(0, mark);
  const query = mark === -1 ? '' : sent.slice(mark);
  const root = path.indexOf(API_ROOT);
  return { path: root > 0 ? path.slice(root) : path, query };
}

/** Whether the path can be decoded; routers disagree about a path that cannot. */
export function isDecodable(path: string): boolean {
  return decode(path) !== undefined;
}

/** Whether the path belongs to the sandbox itself: not part of the API, so not recorded and not faulted. */
export function isSandboxPath(path: string): boolean {
  return isControlPath(path) || isPagePath(path);
}

/** Whether the path is one of the control API. */
export function isControlPath(path: string): boolean {
  const routed = normalize(path);
  return routed === CONTROL_ROOT || routed.startsWith(`${CONTROL_ROOT}/`);
}

/** Whether the path is a page for people, or something that such a page loads. */
export function isPagePath(path: string): boolean {
  const routed = normalize(path);
  return (
    SINGLE_PAGES.has(routed) ||
    [CONSOLE_PATH, REFERENCE_PATH, HOSTED_PATH, IMAGE_PATH, BROWSER_PATH].some((page) =>
      page.test(routed),
    )
  );
}

/** Whether the path is that of the OpenAPI document. */
export function isDocumentPath(path: string): boolean {
  return normalize(path) === `${REFERENCE_ROOT}/${DOCUMENT_NAME}`;
}

/** Whether pages of any origin may send requests to the path. */
export function isOpenToPages(path: string): boolean {
  return UPLOAD_PATHS.has(path);
}

/** As the most lenient router sees it: Fastify decodes paths, and Express ignores their case. */
function normalize(path: string): string {
  return (decode(path) ?? path).toLowerCase();
}

function decode(path: string): string | undefined {
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}
