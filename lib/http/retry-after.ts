/**
 * The wait that a `Retry-After` header asks for, in milliseconds: it comes as seconds or as an HTTP
 * date (RFC 9110, section 10.2.3). Undefined where there is none or it cannot be read.
 */
export function retryAfterMs(header: unknown, now = Date.now()): number | undefined {
  if (typeof header !== 'string') return undefined;
  const value = header.trim();
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // An HTTP date begins with the day's name; Date.parse alone would take much else for a date.
  const date = /^[A-Z][a-z]{2},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
