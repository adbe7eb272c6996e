import { registerAs } from '@nestjs/config';
import type { BerbixModuleOptions } from './berbix.options.js';
import { BerbixConfigurationError } from './errors/index.js';
import { encryptionKeysFromEnvironment } from './token-store/index.js';

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
export const berbixConfig = registerAs('berbix', (): BerbixModuleOptions => ({
  apiSecret: required('BERBIX_API_SECRET', 'the API secret from the Berbix dashboard'),
  apiHost: optional('BERBIX_API_HOST'),
  timeoutMs: milliseconds('BERBIX_TIMEOUT_MS'),
  totalTimeoutMs: milliseconds('BERBIX_TOTAL_TIMEOUT_MS'),
  encryption: encryptionKeysFromEnvironment(),
  webhooks: {
    finished: list('BERBIX_WEBHOOK_FINISHED_SECRET'),
    status: list('BERBIX_WEBHOOK_STATUS_SECRET'),
  },
  allowInsecure: boolean('BERBIX_ALLOW_INSECURE'),
}));

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

function milliseconds(name: string): number | undefined {
  const value = optional(name);
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,7}$/.test(value)) return Number(value);
  throw new BerbixConfigurationError(
    `The environment variable ${name} must be a whole number of milliseconds, such as 5000.`,
  );
}

function boolean(name: string): boolean | undefined {
  const value = optional(name);
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new BerbixConfigurationError(`The environment variable ${name} must be true or false.`);
}
