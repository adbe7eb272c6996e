import { registerAs } from '@nestjs/config';
import type { BerbixModuleOptions } from './berbix.options.js';
import { BerbixConfigurationError } from './errors/index.js';
import { ApiSecret, httpSettings } from './http/index.js';
import { encryptionKeysFromEnvironment } from './token-store/index.js';
import { WebhookSettings } from './webhooks/index.js';

/**
 * The options from the environment, for @nestjs/config.
 *
 * | variable | option |
 * | --- | --- |
 * | `BERBIX_API_SECRET` | `apiSecret`, required |
 * | `BERBIX_API_HOST` | `apiHost` |
 * | `BERBIX_TIMEOUT_MS` | `timeoutMs` |
 * | `BERBIX_TOTAL_TIMEOUT_MS` | `totalTimeoutMs` |
 * | `BERBIX_ENCRYPTION_KEYS` | `encryption`, as `id:base64,id:base64`; the first is the current one |
 * | `BERBIX_WEBHOOK_FINISHED_SECRET`, `BERBIX_WEBHOOK_STATUS_SECRET` | `webhooks`; several secrets with commas between |
 * | `BERBIX_ALLOW_INSECURE` | `allowInsecure`, `true` or `false` |
 *
 * A missing or malformed variable stops the boot with a {@link BerbixConfigurationError} that names it.
 *
 * @example
 * ```ts
 * @Module({ imports: [ConfigModule.forRoot(), BerbixModule.forRootAsync(berbixConfig.asProvider())] })
 * ```
 */
export const berbixConfig = registerAs('berbix', (): BerbixModuleOptions => {
  const apiSecret = required('BERBIX_API_SECRET', 'the API secret from the Berbix dashboard');
  check('BERBIX_API_SECRET', () => new ApiSecret(apiSecret));
  const allowInsecure = boolean('BERBIX_ALLOW_INSECURE');
  const apiHost = optional('BERBIX_API_HOST');
  check('BERBIX_API_HOST', () => httpSettings({ apiSecret, apiHost, allowInsecure }));
  const timeoutMs = number('BERBIX_TIMEOUT_MS');
  check('BERBIX_TIMEOUT_MS', () => httpSettings({ apiSecret, timeoutMs }));
  const totalTimeoutMs = number('BERBIX_TOTAL_TIMEOUT_MS');
  check('BERBIX_TOTAL_TIMEOUT_MS', () => httpSettings({ apiSecret, totalTimeoutMs }));
  const finished = list('BERBIX_WEBHOOK_FINISHED_SECRET');
  check('BERBIX_WEBHOOK_FINISHED_SECRET', () => new WebhookSettings({ finished }));
  const status = list('BERBIX_WEBHOOK_STATUS_SECRET');
  check('BERBIX_WEBHOOK_STATUS_SECRET', () => new WebhookSettings({ status }));
  return {
    apiSecret,
    apiHost,
    timeoutMs,
    totalTimeoutMs,
    encryption: encryptionKeysFromEnvironment(),
    webhooks: { finished, status },
    allowInsecure,
  };
});

/** Checks what comes of a variable as the option that it is, so that the sentence names the variable. */
function check(name: string, asOption: () => unknown): void {
  try {
    asOption();
  } catch (error) {
    throw error instanceof BerbixConfigurationError
      ? new BerbixConfigurationError(`The environment variable ${name} is wrong: ${error.message}`)
      : error;
  }
}

function optional(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
}

function list(name: string): string[] | undefined {
  return optional(name)
    ?.split(',')
    .map((secret) => secret.trim());
}

function required(name: string, what: string): string {
  const value = optional(name);
  if (value !== undefined) return value;
  throw new BerbixConfigurationError(
    `The environment variable ${name} is missing. Set it to ${what}.`,
  );
}

/** NaN for what is no number, which no option takes. */
function number(name: string): number | undefined {
  const value = optional(name);
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Number(value) : Number.NaN;
}

function boolean(name: string): boolean | undefined {
  const value = optional(name);
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new BerbixConfigurationError(`The environment variable ${name} must be true or false.`);
}
