import { API_PATHS } from '../../wire/index.js';
import { isOfControl } from '../control/control-path.js';
import { isHostedPath } from '../hosted/hosted-path.js';
import { isImagePath } from '../images/image-path.js';
import { isReferencePath } from '../reference/reference-path.js';

/** `/v0/`, with which every path of the API begins. */
const API_ROOT = API_PATHS.tokens.slice(0, API_PATHS.tokens.indexOf('/', 1) + 1);

/** A request target taken apart. */
export interface RequestPath {
  path: string;
  /** With its question mark; empty if there is none. */
  query: string;
}

/**
 * A base URL may have a path of its own, which a proxy would take away: `/berbix/v0/tokens`. It may be
 * any, `/sandbox` too: nothing of the sandbox itself has `/v0/` in its path.
 */
export function parseRequestPath(target: string): RequestPath {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  const root = path.indexOf(API_ROOT);
  return { path: root > 0 ? path.slice(root) : path, query };
}

/** Whether the path can be decoded; routers differ in what they do with one that cannot. */
export function isDecodable(path: string): boolean {
  return decoded(path) !== undefined;
}

/**
 * Whether the path is one of the sandbox itself, for developers or for browsers: no part of the API,
 * so not recorded and not faulted.
 */
export function isControlPath(path: string): boolean {
  return isCommandPath(path) || isPagePath(path);
}

/** Whether the path is one of the control API. */
export function isCommandPath(path: string): boolean {
  return isOfControl(routed(path));
}

/** Whether the path is one of a page for people, or of what such a page shows. */
export function isPagePath(path: string): boolean {
  const page = routed(path);
  return isReferencePath(page) || isHostedPath(page) || isImagePath(page);
}

/** Fastify routes by the decoded path, and Express does not look at the case of letters. */
function routed(path: string): string {
  return (decoded(path) ?? path).toLowerCase();
}

function decoded(path: string): string | undefined {
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}
