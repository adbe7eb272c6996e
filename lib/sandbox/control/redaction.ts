import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ApiJson } from '../http/api-json.js';
import { describeSecrets } from './operations.js';

const REDACTED = '[redacted]';

/** Members and fields whose value is always a secret. */
const NAMES = [
  'access_token',
  'client_token',
  'refresh_token',
  'api_secret',
  'client_secret',
  'finished_secret',
  'status_secret',
  // The page of a transaction needs no other permission.
  'hosted_url',
  'page_path',
];
const SECRET_NAMES: ReadonlySet<string> = new Set([...NAMES, 'cookie', 'set-cookie']);
const CREDENTIALS = new Set(['authorization', 'proxy-authorization']);

/** The text of the first group stays. */
const PATTERNS = [
  // A member of JSON, even if the JSON is cut off.
  new RegExp(`("(?:${NAMES.join('|')})"\\s*:\\s*")[^"\\\\]*(?:\\\\.[^"\\\\]*)*`, 'gi'),
  // A field of a form or a query.
  new RegExp(`((?:${NAMES.join('|')})=)[^&\\s"]+`, 'gi'),
  // The tokens and secrets of a sandbox, in any text, even after a letter or an underscore.
  /((?:at|rt)_)[\w-]{40,}/g,
  // Only near the start of a word: elsewhere, the search would be quadratic in its length.
  /(?<![\w-])([\w-]{0,32}?)eyJ[\w-]+\.[\w-]+\.[\w-]+/g,
  /(secret_(?:test|live)_)[!#-&(-9;=?-~]+/g,
  /(whs_(?:test|live)_)\w+/g,
  // An API secret in the base64 of Basic authentication.
  /(c2VjcmV0X(?:3Rlc3R|2xpdmV)f)[\w+/=-]+/g,
  // The page of a transaction, in a URL or in a field or a text of JSON.
  /(hosted(?:\/|%2F|\\\/))[\da-f]{48}/gi,
  // The user of a URL.
  /(:\/\/)[^/?#\s"@]+(?=@)/g,
];

/** Redacts tokens, secrets and credentials in an answer that people may see or paste. */
export function withoutSecrets(value: ApiJson): ApiJson {
  if (typeof value === 'string') return redactText(value);
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
  // The timestamp and the body of a webhook stay; a secret has no comma.
  if (known === 'signed_text') return redactText(member.replace(/^(\d+,)[^,]*/, `$1${REDACTED}`));
  // The scheme stays, since it shows the kind of credential.
  return CREDENTIALS.has(known)
    ? member.replace(/^(\S+\s+)?.*$/s, `$1${REDACTED}`)
    : redactText(member);
}

/** What every match of a pattern contains: most texts have none of it, and one search is enough. */
const SUSPICIOUS = /_token|_secret|secret_|(?:at|rt)_|eyJ|whs_|c2VjcmV0X|hosted|page_path|:\/\//i;

function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return PATTERNS.reduce((rest, pattern) => rest.replaceAll(pattern, `$1${REDACTED}`), text);
}

/** Redacts an answer, or leaves it as it is. */
export type Redact = (answer: ApiJson) => ApiJson;

const RedactionOfRequest = createParamDecorator((_: unknown, context: ExecutionContext): Redact => {
  const { query } = context.switchToHttp().getRequest<{ query: { secrets?: unknown } }>();
  return query.secrets === '1' ? (answer) => answer : withoutSecrets;
});

/**
 * Redacts secrets in an answer, unless the request has `?secrets=1`, which is in the OpenAPI document of
 * the operation.
 */
export function Redaction(): ParameterDecorator {
  return (controller, name, index) => {
    if (name !== undefined) describeSecrets(controller, name);
    RedactionOfRequest()(controller, name, index);
  };
}
