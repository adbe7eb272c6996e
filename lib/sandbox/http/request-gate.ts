import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { isLoopback, READABLE } from '../../wire/index.js';
import { ApiException, invalidRequest } from './api-exception.js';
import { isControlPath, isDecodable, isDocumentPath, isOpenToPages, isPagePath } from './paths.js';
import { hasBody } from './request-body.js';

/** A name or an address, perhaps with a port; nothing that a URL parser could read differently. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/** Navigation within the sandbox, and addresses that were typed. [Fetch Metadata section 2.3] */
const OWN_SITES: ReadonlySet<string | undefined> = new Set([undefined, 'same-origin', 'none']);

/**
 * Refuses requests that a web page of another site makes, since any page that is open in a browser
 * can send requests to this machine.
 *
 * - Uploads are open to pages of any origin, as at Berbix: the client token is the permission.
 * - Any site may link to the pages of the sandbox; only these pages may submit their forms, and read
 *   the OpenAPI document, for which a transaction is created.
 * - Everything else, above all the control API, is for programs and the sandbox's own pages. So are
 *   unknown paths, since routers disagree about which paths are the same.
 *
 * Another site can also make its own name resolve to 127.0.0.1 (DNS rebinding). To the browser, the
 * sandbox is then part of that site, and only the `Host` header shows it.
 */
export class RequestGate {
  readonly #hosts: ReadonlySet<string>;

  /** @param hostNames names of the sandbox without ports and brackets, besides those of this machine */
  constructor(hostNames: readonly string[]) {
    this.#hosts = new Set(hostNames.map((name) => withBrackets(name.toLowerCase())));
  }

  /** Why the request goes no further; `undefined` if it does. */
  refusalOf(request: IncomingMessage, path: string): ApiException | undefined {
    if (!isDecodable(path)) return invalidRequest('The path of the URL is malformed.');
    if (!request.url?.startsWith('/')) return wrongTarget();
    if (!this.#isOwnHost(request)) return wrongHost();
    if (isFromOtherSite(request.headers) && !isOpenToOtherSites(request, path)) {
      return wrongOrigin();
    }
    if (isControlPath(path) && hasBody(request) && !isJson(request.headers)) return notJson();
    return undefined;
  }

  /** Whether the `Host` header names this sandbox, with any port. */
  #isOwnHost({ headers, socket }: IncomingMessage): boolean {
    const [, name] = HOST.exec(headers.host?.toLowerCase() ?? '') ?? [];
    if (name === undefined) return false;
    return isLocal(name) || this.#hosts.has(name) || name === localHostOf(socket);
  }
}

/** Browsers resolve names that end in `.localhost` themselves. [RFC 6761 section 6.3] */
function isLocal(name: string): boolean {
  return isLoopback(name) || name.endsWith('.localhost');
}

/** The address that the client connected to; only names can be rebound. */
function localHostOf({ localAddress = '' }: Pick<Socket, 'localAddress'>): string {
  return withBrackets(localAddress.replace(/^::ffff:(?=\d+\.)/, ''));
}

/** A host as a `Host` header has it. */
function withBrackets(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

function isOpenToOtherSites({ method }: IncomingMessage, path: string): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return isOpenToPages(path) || (isRead && isPagePath(path) && !isDocumentPath(path));
}

/** The port counts: another port of this machine is another application. */
function isFromOtherSite({ origin, host, ...headers }: IncomingHttpHeaders): boolean {
  if (!OWN_SITES.has(headers['sec-fetch-site'] as string | undefined)) return true;
  return origin !== undefined && hostOfOrigin(origin) !== host?.toLowerCase();
}

/** Undefined for `null`, the origin of a page that has none. */
function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** A page of another site needs permission to send this type. [Fetch section 2.2.2] */
function isJson({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^application\/json\s*(;|$)/i.test(type);
}

/** Routers ignore the host of an absolute URL, and the rules for paths do not apply to it. [RFC 9112 section 3.2] */
function wrongTarget(): ApiException {
  return invalidRequest(
    'The target of the request must begin with /, and the Host header names the sandbox. Do not use the sandbox as a proxy.',
  );
}

function wrongHost(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'The Host header does not name this sandbox: it may name another site. Use 127.0.0.1 or localhost, or start with --public-url http://name:port.',
  );
}

function wrongOrigin(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'A page of another origin may only upload. Send this request from a backend or a script.',
  );
}

function notJson(): ApiException {
  return new ApiException(
    415,
    READABLE.unsupportedMediaType,
    'The body must be JSON. Send it with the header content-type: application/json.',
  );
}
