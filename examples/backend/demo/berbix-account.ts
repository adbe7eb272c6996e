import { BerbixSandbox } from 'nestjs-berbix/sandbox';

/** The Berbix that the example talks to. */
export interface BerbixAccount {
  host: string;
  /** Undefined when a real account is used. */
  sandbox?: BerbixSandbox;
}

/** What belongs to an account, and would be ignored beside the sandbox. */
const OF_AN_ACCOUNT = [
  'BERBIX_API_HOST',
  'BERBIX_TEMPLATE_KEY',
  'BERBIX_TEMPLATE_KIND',
  'BERBIX_WEBHOOK_FINISHED_SECRET',
  'BERBIX_WEBHOOK_STATUS_SECRET',
];

/**
 * The account of `BERBIX_API_SECRET`; without one, a sandbox, put into the environment in its place.
 *
 * @throws {Error} for what belongs to an account, where none is named
 */
export async function berbixAccount(env: NodeJS.ProcessEnv): Promise<BerbixAccount> {
  if (env['BERBIX_API_SECRET']) return { host: env['BERBIX_API_HOST'] || 'https://api.berbix.com' };
  const stray = OF_AN_ACCOUNT.find((name) => env[name]);
  if (stray !== undefined) {
    throw new Error(
      `${stray} is set, and BERBIX_API_SECRET is not. Set both to use an account, or neither to use the sandbox.`,
    );
  }
  const sandbox = await BerbixSandbox.start();
  env['BERBIX_API_HOST'] = sandbox.url;
  env['BERBIX_API_SECRET'] = sandbox.apiSecret;
  env['BERBIX_TEMPLATE_KEY'] = sandbox.templateKeys.hosted;
  env['BERBIX_TEMPLATE_KIND'] = 'hosted';
  env['BERBIX_WEBHOOK_FINISHED_SECRET'] = sandbox.webhookSecrets.finished;
  env['BERBIX_WEBHOOK_STATUS_SECRET'] = sandbox.webhookSecrets.status;
  return { host: sandbox.url, sandbox };
}

/** In place of the dashboard, where a real account is told where its webhooks go. */
export function pointWebhooks({ sandbox }: BerbixAccount, backend: string): void {
  sandbox?.webhooks.setUrl('finished', `${backend}/webhooks/berbix/finished`);
  sandbox?.webhooks.setUrl('status', `${backend}/webhooks/berbix/status`);
}
