import type { Answer } from './scripted-api.js';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** Answers to a request with an access token. */
export const REFUSALS: Answer[] = [
  ...[300, 302, 399, 400, 401, 402, 403, 404, 405, 408, 409, 410, 418, 422, 429].map((status) => ({
    status,
    body: { code: 1, readable: 'a_reason', message: 'It is said so.' },
    headers: { ...JSON_TYPE, 'x-request-id': `id-${status}` },
  })),
  ...[500, 502, 503, 599].map((status) => ({
    status,
    body: '<html>',
    headers: { 'retry-after': '3' },
  })),
  { status: 409, body: { next_step: 'upload_document_back', message: 7 } },
  { status: 400, body: { message: 'The token at_of_ada of rt_of_ada\nis wrong.' } },
  { status: 400, body: { message: 'x'.repeat(201) } },
  { status: 400, body: { message: 'x'.repeat(16_385), readable: 'x'.repeat(201) } },
  { status: 400, body: [], headers: { 'x-request-id': 'two words' } },
  { status: 400, body: '{"message":', headers: { 'x-request-id': 'x'.repeat(101) } },
  { status: 200, body: '<html>', headers: { 'content-type': 'text/html; charset=utf-8' } },
  { status: 200, body: '[]', headers: {} },
  { status: 200, body: 'null', headers: { 'content-type': 'no type' } },
  { status: 204 },
  ...['0', '7', ' 8 ', '1234567890', '-1', '1.5', 'soon', '2100'].map((after) => ({
    status: 429,
    body: {},
    headers: { 'retry-after': after },
  })),
  { status: 503, headers: { 'retry-after': 'Mon, 01 Jan 2001 00:00:00 GMT' } },
  { status: 200, body: '{}', headers: { 'content-encoding': 'gzip' } },
  { status: 200, body: '{}', headers: { 'content-length': '1048577' } },
  { status: 200, body: ' '.repeat(1_048_577) },
];

/** Failures of the connection. */
export const FAILURES: Answer[] = [
  ...['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_INVALID_ARG'].flatMap(
    (code) => [
      { code, sent: false },
      { code, sent: true },
    ],
  ),
  ...[
    'UND_ERR_CLOSED',
    'UND_ERR_DESTROYED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_SIGNATURE_FAILURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'a code that may quote the request',
  ].map((code) => ({ code, sent: false })),
  ...[
    'HANDSHAKE_FAILURE',
    'CERTIFICATE_REQUIRED',
    'BAD_CERTIFICATE',
    'CERTIFICATE_EXPIRED',
    'CERTIFICATE_REVOKED',
    'CERTIFICATE_UNKNOWN',
    'UNSUPPORTED_CERTIFICATE',
    'UNKNOWN_CA',
    'ACCESS_DENIED',
    'OTHER',
  ].map((alert) => ({ code: `ERR_SSL_TLSV13_ALERT_${alert}`, sent: true })),
];

/** Answers to an exchange of a refresh token. */
export const TOKEN_REFUSALS: Answer[] = [400, 401, 403].flatMap((status) => [
  { status, body: { readable: 'invalid_refresh_token' } },
  { status, body: { readable: 'invalid_grant', message: 'rt_of_ada is unknown' } },
  { status, body: { readable: 'other', message: 'The refresh token is unknown.' } },
  { status, body: { message: 'The Refresh_Token is unknown.' } },
  { status, body: { message: 'The secret is wrong.' } },
]);

type BadAnswer = [call: 'fetch' | 'refresh' | 'create' | 'upload', change: object];

/** What replaces fields of an answer. */
export const BAD_ANSWERS: BadAnswer[] = [
  ...[
    { id: 2 },
    { id: -1 },
    { id: 1.5 },
    { id: 'x1' },
    { id: '1x' },
    { id: '9'.repeat(20) },
    { id: '9'.repeat(21) },
    { id: null, customer_uid: '', action: 5, flags: 'x', fields: [], images: 7, duplicates: {} },
    { flags: [7], fields: { a: 5, b: { value: 7, confidence: 8, sources: 9 } } },
    { fields: { a: { sources: [{ value: 1, type: 2, confidence: 3 }, 4] }, b: null } },
    { images: { front: { full_image: 1, cropped_image: 2, face_image: 3 } } },
    { duplicates: [{ customer_uid: null, transaction_id: 'x' }, null] },
    { created_at: 'yesterday', completed_at: 5, dashboard_url: 6, implementation_info: [] },
  ].map((change): BadAnswer => ['fetch', change]),
  ...[
    { access_token: null },
    { access_token: 5, client_token: 6, refresh_token: 7, transaction_id: 'x', expires_in: 'soon' },
    { access_token: 'a\nb', client_token: 'a b' },
    { expires_in: 0 },
    { expires_in: -1 },
    { expires_in: 1.5 },
    { expires_in: '60' },
    { expires_in: null },
    { expires_in: 1e12 },
    { refresh_token: null, client_token: null },
    { refresh_token: '' },
    { transaction_id: 8 },
  ].flatMap((change): BadAnswer[] => [
    ['refresh', change],
    ['create', { hosted_url: 'https://hosted', ...change }],
  ]),
  ['create', { hosted_url: 'https://hosted', refresh_token: 'é' }],
  ['create', { hosted_url: 7 }],
  ['upload', { next_step: null, issues: [1], issue_details: 5 }],
  ['upload', { issue_details: { unsupported_id_type: { visa_page_of_passport: 'yes' } } }],
];
