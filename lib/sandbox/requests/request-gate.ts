import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { READABLE } from '../../wire/index.js';
import { ApiException, invalidRequest } from '../errors/api.exception.js';
import type { AllowedHosts } from './allowed-hosts.js';
import { isOpenToPages } from './cross-origin.js';
import { hasBody } from './request-body.js';
import { isCommandPath, isPagePath } from './request-path.js';

/** Navigations within the sandbox, and addresses that were typed. [Fetch Metadata section 2.3] */
const OWN_SITES: ReadonlySet<string | undefined> = new Set([undefined, 'same-origin', 'none']);

/**
 * Decides which requests go no further, since any web page that a developer has open can send requests
 * to this machine.
 *
 * - Uploads are open to pages of any origin, as at Berbix: the client token is the permission.
 * - The sandbox's pages may be linked to from any site; only they may submit their forms.
 * - Everything else, above all the control API, is for programs and for the sandbox's own pages. So
 *   are unknown paths: routers differ in which paths they treat as the same.
 */
export class RequestGate {
  constructor(private readonly hosts: AllowedHosts) {}

  refusalOf(request: IncomingMessage, path: string): ApiException | undefined {
    if (!request.url?.startsWith('/')) return wrongTarget();
    if (!this.hosts.allow(request)) return wrongHost();
    if (isFromOtherSite(request.headers) && !isOpenToOtherSites(request, path)) {
      return wrongOrigin();
    }
    if (isCommandPath(path) && hasBody(request) && !isJson(request.headers)) return notJson();
    return undefined;
  }
}

function isOpenToOtherSites({ method }: IncomingMessage, path: string): boolean {
  return isOpenToPages(path) || (isPagePath(path) && (method === 'GET' || method === 'HEAD'));
}

/** The port counts: another port of this machine is another application. */
function isFromOtherSite({ origin, host, ...headers }: IncomingHttpHeaders): boolean {
  if (!OWN_SITES.has(headers['sec-fetch-site'] as string | undefined)) return true;
  return origin !== undefined && hostOf(origin) !== host?.toLowerCase();
}

/** `null` is the origin of a page without one. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** A page of another site cannot send this type without asking first. [Fetch section 2.2.2] */
function isJson({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^application\/json\s*(;|$)/i.test(type);
}

/** A whole URL names a host that routers ignore, and the rules for paths do not see its path. [RFC 9112 section 3.2] */
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
    'A page of another origin may not make this request: only uploads are open to pages. Make it from a program.',
  );
}

function notJson(): ApiException {
  return new ApiException(
    415,
    READABLE.unsupportedMediaType,
    'The body must be JSON. Send it with the header content-type: application/json.',
  );
}
