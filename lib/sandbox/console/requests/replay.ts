import { call, type RecordedRequest } from '../api.js';

/** Headers that curl makes itself, or that belong to one connection. */
const OWN = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'host',
  'transfer-encoding',
  'user-agent',
]);

/** The command that sends a request again, for a POSIX shell. */
export function curlOf({ method, url, headers, body }: RecordedRequest): string {
  const address = new URL(targetOf(url), document.baseURI).href;
  const parts = [`curl -i -X ${method} ${quote(address)}`];
  for (const [name, value] of Object.entries(headers)) {
    if (OWN.has(name)) continue;
    for (const single of [value].flat()) parts.push(`-H ${quote(`${name}: ${single}`)}`);
  }
  if (body !== '') parts.push(`--data-raw ${quote(body)}`);
  return parts.join(' \\\n  ');
}

/** Nothing is special in single quotes but the quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The path of a request with its headers and body; its secrets are redacted unless they are asked for. */
export function pathOf(id: string, secrets: boolean): string {
  return `requests/${encodeURIComponent(id)}${secrets ? '?secrets=1' : ''}`;
}

/** A request with its secrets. */
export function loadRequest(id: string): Promise<RecordedRequest> {
  return call('GET', pathOf(id, true));
}

/** Relative to this page, which may have a prefix behind a proxy; a URL such as `//host` stays a path. */
function targetOf(url: string): string {
  return `.${url}`;
}

/** Headers that a browser sets itself. */
const FORBIDDEN =
  /^(?:accept-encoding|connection|content-length|cookie|host|origin|referer|sec-.*)$/;

/** Sends a request again, from the browser. It is recorded as any other. */
export async function sendAgain(id: string): Promise<void> {
  const { method, url, headers, body } = await loadRequest(id);
  const kept = Object.entries(headers).filter(([name]) => !FORBIDDEN.test(name));
  await fetch(targetOf(url), {
    method,
    headers: kept.flatMap(([name, value]) =>
      [value].flat().map((single): [string, string] => [name, single]),
    ),
    // With its own credentials, the browser would show a login dialog at each 401.
    credentials: 'omit',
    ...(body !== '' && { body }),
  });
}
