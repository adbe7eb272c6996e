import { registerAs } from '@nestjs/config';

/**
 * `BERBIX_WEBHOOK_FINISHED_SECRET`, `BERBIX_WEBHOOK_STATUS_SECRET`: the secrets of the two hooks, each from its page in
 * the dashboard; the old one and the new one, with a comma between, while one is changed. A hook
 * without a secret is refused.
 */
export const webhooksConfig = registerAs('webhooks', () => ({
  finished: secretsFrom('BERBIX_WEBHOOK_FINISHED_SECRET'),
  status: secretsFrom('BERBIX_WEBHOOK_STATUS_SECRET'),
}));

function secretsFrom(name: string): string[] | undefined {
  return process.env[name] ? process.env[name].split(',') : undefined;
}
