import { BerbixSandbox } from 'nestjs-berbix/sandbox';

/** The Berbix account or sandbox that the example uses. */
export interface BerbixAccount {
  host: string;
  /** Undefined if a real account is used. */
  sandbox?: BerbixSandbox;
}

/** The variables of a real account, which the sandbox would ignore. */
const ACCOUNT_VARIABLES = [
  'BERBIX_API_HOST',
  'BERBIX_TEMPLATE_KEY',
  'BERBIX_TEMPLATE_KIND',
  'BERBIX_WEBHOOK_FINISHED_SECRET',
  'BERBIX_WEBHOOK_STATUS_SECRET',
];

/**
 * The account of `BERBIX_API_SECRET`. Without one, starts a sandbox and sets the variables to it.
 *
 * @throws {Error} if other variables of an account are set, but no API secret
 */
export async function berbixAccount(env: NodeJS.ProcessEnv): Promise<BerbixAccount> {
  if (env['BERBIX_API_SECRET']) return { host: env['BERBIX_API_HOST'] || 'https://api.berbix.com' };
  const stray = ACCOUNT_VARIABLES.find((name) => env[name]);
  if (stray !== undefined) {
    throw new Error(
      `${stray} is set, and BERBIX_API_SECRET is not. Set both to use an account, or neither to use the sandbox.`,
    );
  }
  const sandbox = await BerbixSandbox.start();
  env['BERBIX_API_HOST'] = sandbox.url;
  env['BERBIX_API_SECRET'] = sandbox.apiSecret;
  env['BERBIX_TEMPLATE_KEY'] = sandbox.templateKeys.sdk;
  env['BERBIX_TEMPLATE_KIND'] = 'sdk';
  env['BERBIX_WEBHOOK_FINISHED_SECRET'] = sandbox.webhookSecrets.finished;
  env['BERBIX_WEBHOOK_STATUS_SECRET'] = sandbox.webhookSecrets.status;
  return { host: sandbox.url, sandbox };
}

/** Sets the webhook URLs of the sandbox; for a real account, do this in the dashboard. */
export function pointWebhooks({ sandbox }: BerbixAccount, backend: string): void {
  sandbox?.webhooks.setUrl('finished', `${backend}/webhooks/berbix/finished`);
  sandbox?.webhooks.setUrl('status', `${backend}/webhooks/berbix/status`);
}
