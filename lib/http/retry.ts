/** Upper limit of the first random wait, in milliseconds. */
const BASE_MS = 100;

/**
 * The wait before a repetition, in milliseconds: what the API asks for, plus a random time. With
 * full jitter, the replicas of a fleet do not all come back at the same moment.
 *
 * @param repetition 0 before the first repetition
 * @param retryAfterMs what the API asks for, in milliseconds
 */
export function backoff(
  repetition: number,
  retryAfterMs: number | undefined,
  { backoffLimit }: { backoffLimit: number },
): number {
  return (retryAfterMs ?? 0) + Math.random() * Math.min(backoffLimit, BASE_MS * 2 ** repetition);
}

/**
 * The wait that a `Retry-After` header asks for, in milliseconds. The header has seconds or an HTTP
 * date (RFC 9110, section 10.2.3). Undefined if there is none, or if it cannot be parsed.
 */
export function parseRetryAfter(header: unknown, now = Date.now()): number | undefined {
  if (typeof header !== 'string') return undefined;
  const value = header.trim();
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // An HTTP date begins with the name of the day; Date.parse alone accepts many other texts.
  const date = /^[A-Z][a-z]{2},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
