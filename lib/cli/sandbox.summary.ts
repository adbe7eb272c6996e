import type { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import { WEBHOOK_KINDS, isLoopback } from '../wire/index.js';

/** How to reach the sandbox, the lines for a `.env` file, and a command to try it. */
export function summaryOf(sandbox: BerbixSandbox): string {
  const { url, tlsUrl, ca, apiSecret, liveApiSecret, templateKeys } = sandbox;
  const body = JSON.stringify({ customer_uid: 'alice', template_key: templateKeys.sdk });
  const tls = tlsUrl === undefined ? [] : [`  HTTPS         ${tlsUrl}`, `  CA file       ${ca}`];
  const command = sandbox.referenceCommand;
  const reference = command === undefined ? `${url}/reference` : `after ${command}`;
  return [
    'The Berbix sandbox is ready. Ctrl+C ends it.',
    '',
    `  HTTP          ${url}`,
    ...tls,
    `  live secret   ${liveApiSecret}`,
    `  templates     ${templateKeys.sdk} (SDK)`,
    `                ${templateKeys.hosted} (hosted)`,
    `                ${templateKeys.apiOnly} (API-only)`,
    `  browser page  ${url}/verify (for a client token)`,
    `  API reference ${reference}`,
    ...webhooksOf(sandbox),
    '',
    'For the .env of the application:',
    ...environmentOf(sandbox).map((line) => `  ${line}`),
    '',
    'Create a transaction:',
    `  curl -u '${apiSecret}:' -d '${body}' ${url}/v0/transactions`,
    '',
  ].join('\n');
}

/** Says why no webhooks arrive, unless a URL was given. */
function webhooksOf({ webhooks }: BerbixSandbox): string[] {
  if (WEBHOOK_KINDS.some((kind) => webhooks.url(kind) !== undefined)) return [];
  return ['  webhooks      not sent: see --webhook-finished URL and --webhook-status URL'];
}

const READ_AT_START =
  '# For HTTPS, in the environment in which Node starts; a .env file is too late for this:';

/** The variables that `berbixConfig` reads, for test mode. */
function environmentOf(sandbox: BerbixSandbox): string[] {
  const { url, ca, apiSecret, templateKeys, webhookSecrets } = sandbox;
  const insecure = needsPermission(url) ? ['BERBIX_ALLOW_INSECURE=true'] : [];
  const authority = ca === undefined ? [] : [READ_AT_START, `NODE_EXTRA_CA_CERTS=${quoted(ca)}`];
  return [
    `BERBIX_API_SECRET=${apiSecret}`,
    `BERBIX_API_HOST=${url}`,
    ...insecure,
    `BERBIX_TEMPLATE_KEY=${templateKeys.sdk}`,
    `BERBIX_WEBHOOK_FINISHED_SECRET=${webhookSecrets.finished}`,
    `BERBIX_WEBHOOK_STATUS_SECRET=${webhookSecrets.status}`,
    ...authority,
  ];
}

/** For a shell, since the path of the temporary directory may contain spaces. */
function quoted(path: string): string {
  return /^[\w.~+/=:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The module only allows plain HTTP to this machine, unless it is configured otherwise. */
function needsPermission(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname);
}
