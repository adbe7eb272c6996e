import type { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import { isLoopback } from '../wire/index.js';

/** The variables that `berbixConfig` reads, for test mode. */
export function environmentOf(sandbox: BerbixSandbox): Readonly<Record<string, string>> {
  const { url, ca, apiSecret, templateKeys, webhookSecrets } = sandbox;
  return {
    BERBIX_API_SECRET: apiSecret,
    BERBIX_API_HOST: url,
    ...(needsPermission(url) && { BERBIX_ALLOW_INSECURE: 'true' }),
    BERBIX_TEMPLATE_KEY: templateKeys.sdk,
    BERBIX_WEBHOOK_FINISHED_SECRET: webhookSecrets.finished,
    BERBIX_WEBHOOK_STATUS_SECRET: webhookSecrets.status,
    ...(ca !== undefined && { BERBIX_EXTRA_CA_FILE: ca }),
  };
}

/** For other clients in Node, which reads it when it starts, and not from a `.env` file. */
export function startEnvironmentOf({ ca }: BerbixSandbox): Readonly<Record<string, string>> {
  return ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca };
}

/** The module only allows plain HTTP to this machine, unless it is configured otherwise. */
function needsPermission(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname);
}
