/**
 * What Swagger UI needs, and no more: its files from here, its styles within the markup, and requests
 * to this sandbox.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

/** Headers of the page at `/reference`. */
export const REFERENCE_HEADERS: Headers = new Headers({
  'Content-Security-Policy': POLICY.join('; '),
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
});
