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
  try {
    decodeURI(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the path is one of the sandbox itself, for developers or for browsers: no part of the API,
 * so not recorded and not faulted.
 */
export function isControlPath(path: string): boolean {
  // Fastify routes by the decoded path, and Express does not look at the case of letters.
  const routed = decodeURI(path).toLowerCase();
  return [isOfControl, isReferencePath, isHostedPath, isImagePath].some((isOne) => isOne(routed));
}
