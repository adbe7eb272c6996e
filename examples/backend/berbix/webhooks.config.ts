import { registerAs } from '@nestjs/config';

/**
 * `BERBIX_WEBHOOK_FINISHED_SECRET`, `BERBIX_WEBHOOK_STATUS_SECRET`: the secrets of the two
 * webhooks, each from its page in the dashboard. While you change one, give the old and the new one
 * with a comma between them. Webhooks without a secret are refused.
 */
export const webhooksConfig = registerAs('webhooks', () => ({
  finished: secretsFrom('BERBIX_WEBHOOK_FINISHED_SECRET'),
  status: secretsFrom('BERBIX_WEBHOOK_STATUS_SECRET'),
}));

function secretsFrom(name: string): string[] | undefined {
  return process.env[name] ? process.env[name].split(',') : undefined;
}
