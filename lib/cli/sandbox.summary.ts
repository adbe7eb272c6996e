import type { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import type { BerbixSandboxOptions } from '../sandbox/options.js';
import { isLoopback, WEBHOOK_KINDS } from '../wire/index.js';
import { environmentOf } from './sandbox.environment.js';

/** How to reach the sandbox, the lines for a `.env` file, and a command to try it. */
export function summaryOf(sandbox: BerbixSandbox): string {
  const { url, localUrl, tlsUrl, ca, apiSecret, liveApiSecret, templateKeys } = sandbox;
  const body = JSON.stringify({ customer_uid: 'alice', template_key: templateKeys.sdk });
  const tls = tlsUrl === undefined ? [] : [`  API (HTTPS)   ${tlsUrl}`, `  CA file       ${ca}`];
  const trust = ca !== undefined && url.startsWith('https:') ? ` --cacert ${quoted(ca)}` : '';
  const command = sandbox.referenceCommand;
  const reference = command === undefined ? `${url}/reference` : `after ${command}`;
  return [
    'The Berbix sandbox is ready. Ctrl+C ends it.',
    '',
    ...(url === localUrl ? [] : [`  public URL    ${url}`]),
    `  API (HTTP)    ${localUrl}`,
    ...tls,
    `  console       ${url}/ (in a browser)`,
    `  live secret   ${liveApiSecret}`,
    `  templates     ${templateKeys.sdk} (SDK)`,
    `                ${templateKeys.hosted} (hosted)`,
    `                ${templateKeys.apiOnly} (API-only)`,
    `  browser page  ${url}/verify (for a client token)`,
    `  API reference ${reference}`,
    ...webhooksOf(sandbox),
    '',
    'For the .env of the application:',
    ...Object.entries(environmentOf(sandbox)).map(([name, value]) => `  ${name}=${quoted(value)}`),
    '',
    'Create a transaction:',
    `  curl${trust} -u '${apiSecret}:' -H 'content-type: application/json' -d '${body}' ${url}/v0/transactions`,
    '',
  ].join('\n');
}

/** The line for a sandbox that others can reach; empty for one that listens on this machine only. */
export function networkWarningOf({ host }: BerbixSandboxOptions): string {
  if (host === undefined || isLoopback(host.includes(':') ? `[${host}]` : host)) return '';
  return `The sandbox has no login: everybody who can reach ${host} can use it. In a container, publish its port to 127.0.0.1 only.\n`;
}

/** Says why no webhooks arrive, unless a URL was given. */
function webhooksOf({ webhooks }: BerbixSandbox): string[] {
  if (WEBHOOK_KINDS.some((kind) => webhooks.url(kind) !== undefined)) return [];
  return ['  webhooks      not sent: see --webhook-finished URL and --webhook-status URL'];
}

/** For a shell, since the path of the temporary directory may contain spaces. */
function quoted(path: string): string {
  return /^[\w.~+/=:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
