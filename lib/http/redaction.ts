import { REDACTED } from '../errors/index.js';

const MAX_LENGTH = 200;

/**
 * Makes a sentence of the API's fit for an error message: what the request carried as a secret is
 * struck out in case the API quotes it, control characters go (a line break forges a log line), and
 * a page of text is cut.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret !== '') clean = clean.replaceAll(secret, REDACTED);
  }
  clean = clean.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return clean.length > MAX_LENGTH ? `${clean.slice(0, MAX_LENGTH)}...` : clean;
}
