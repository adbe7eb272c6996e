import type { BerbixSandboxReady } from '../sandbox/berbix-sandbox.js';

/** What somebody needs who has just started a sandbox, and one line to try it. */
export function summaryOf({
  url,
  tlsUrl,
  ca,
  apiSecret,
  liveApiSecret,
  templateKeys,
  webhookSecrets,
}: BerbixSandboxReady): string {
  const body = JSON.stringify({ customer_uid: 'alice', template_key: templateKeys.sdk });
  const tls = tlsUrl === undefined ? [] : [`  HTTPS         ${tlsUrl}`, `  CA file       ${ca}`];
  return [
    'The Berbix sandbox is ready. Ctrl+C ends it.',
    '',
    `  HTTP          ${url}`,
    ...tls,
    `  test secret   ${apiSecret}`,
    `  live secret   ${liveApiSecret}`,
    `  templates     ${templateKeys.sdk} (SDK)`,
    `                ${templateKeys.hosted} (hosted)`,
    `                ${templateKeys.apiOnly} (API-only)`,
    `  webhooks      ${webhookSecrets.finished} (secret of finished)`,
    `                ${webhookSecrets.status} (secret of status)`,
    `  browser page  ${url}/verify (for a client token)`,
    `  API reference ${url}/reference`,
    '',
    'Create a transaction:',
    `  curl -u '${apiSecret}:' -d '${body}' ${url}/v0/transactions`,
    '',
  ].join('\n');
}
