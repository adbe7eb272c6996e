import type { ApiJson } from '../api-json.js';

const REDACTED = '[redacted]';

/** Members and fields whose value is a secret, whatever it looks like. */
const NAMES = [
  'access_token',
  'client_token',
  'refresh_token',
  'api_secret',
  'client_secret',
  'finished_secret',
  'status_secret',
];
const SECRET_NAMES: ReadonlySet<string> = new Set([...NAMES, 'cookie', 'set-cookie']);
const CREDENTIALS = new Set(['authorization', 'proxy-authorization']);

/** Each keeps what its first group matches. */
const PATTERNS = [
  // A member of JSON, also of one that is cut off.
  new RegExp(`("(?:${NAMES.join('|')})"\\s*:\\s*")[^"\\\\]*(?:\\\\.[^"\\\\]*)*`, 'gi'),
  // A field of a form or a query.
  new RegExp(`(\\b(?:${NAMES.join('|')})=)[^&\\s"]+`, 'gi'),
  // The tokens and secrets of a sandbox, wherever they are.
  /(\b(?:at|rt)_)[\w-]{40,}/g,
  // Looked for near the start of each word: anywhere in it would take the square of its length.
  /(?<![\w-])([\w-]{0,32}?)\beyJ[\w-]+\.[\w-]+\.[\w-]+/g,
  /(\bsecret_(?:test|live)_)[!#-&(-9;=?-~]+/g,
  /(\bwhs_(?:test|live)_)\w+/g,
  // The user of a URL.
  /(:\/\/)[^/?#\s"@]+(?=@)/g,
];

/** The same without tokens, secrets and credentials: for an answer that is read over a shoulder, or pasted. */
export function withoutSecrets(value: ApiJson): ApiJson {
  if (typeof value === 'string') return redact(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, memberWithoutSecrets(name, member)]),
  );
}

function memberWithoutSecrets(name: string, member: ApiJson): ApiJson {
  const known = name.toLowerCase();
  if (typeof member !== 'string') return withoutSecrets(member);
  if (SECRET_NAMES.has(known)) return REDACTED;
  // The scheme tells which credential was sent.
  return CREDENTIALS.has(known)
    ? member.replace(/^(\S+\s+)?.*$/s, `$1${REDACTED}`)
    : redact(member);
}

function redact(text: string): string {
  return PATTERNS.reduce((rest, pattern) => rest.replaceAll(pattern, `$1${REDACTED}`), text);
}
