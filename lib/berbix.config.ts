import { registerAs } from '@nestjs/config';
import type { BerbixModuleOptions } from './berbix.options.js';
import { BerbixConfigurationError } from './errors/index.js';
import { ApiSecret, httpSettings } from './http/index.js';
import { encryptionKeysFromEnvironment } from './token-store/index.js';
import { WebhookSettings } from './webhooks/index.js';

/**
 * What {@link berbixConfig} reads: the options of the module, and what only the application needs.
 * Spreading it (`{ ...config, store }`) leaves only the options.
 */
class BerbixEnvironment implements BerbixModuleOptions {
  readonly allowInsecure = boolean('BERBIX_ALLOW_INSECURE');

  readonly apiSecret = checked(
    'BERBIX_API_SECRET',
    required('BERBIX_API_SECRET', 'the API secret from the Berbix dashboard'),
    (apiSecret) => new ApiSecret(apiSecret),
  );

  readonly apiHost = checked('BERBIX_API_HOST', optional('BERBIX_API_HOST'), (apiHost) =>
    httpSettings({ apiSecret: this.apiSecret, apiHost, allowInsecure: this.allowInsecure }),
  );

  readonly totalTimeoutMs = checked(
    'BERBIX_TOTAL_TIMEOUT_MS',
    number('BERBIX_TOTAL_TIMEOUT_MS'),
    (totalTimeoutMs) => httpSettings({ apiSecret: this.apiSecret, totalTimeoutMs }),
  );

  readonly timeoutMs = checked('BERBIX_TIMEOUT_MS', number('BERBIX_TIMEOUT_MS'), (timeoutMs) =>
    httpSettings({
      apiSecret: this.apiSecret,
      timeoutMs,
      totalTimeoutMs: this.totalTimeoutMs,
    }),
  );

  readonly encryption = encryptionKeysFromEnvironment();

  readonly webhooks = {
    finished: checked(
      'BERBIX_WEBHOOK_FINISHED_SECRET',
      list('BERBIX_WEBHOOK_FINISHED_SECRET'),
      (finished) => new WebhookSettings({ finished }),
    ),
    status: checked(
      'BERBIX_WEBHOOK_STATUS_SECRET',
      list('BERBIX_WEBHOOK_STATUS_SECRET'),
      (status) => new WebhookSettings({ status }),
    ),
  };

  readonly #templateKey = optional('BERBIX_TEMPLATE_KEY');

  /**
   * The template that verifications of this application follow. Read it in a constructor: a missing
   * one then stops the boot.
   *
   * @throws {BerbixConfigurationError} where `BERBIX_TEMPLATE_KEY` is not set
   */
  get templateKey(): string {
    if (this.#templateKey !== undefined) return this.#templateKey;
    return required('BERBIX_TEMPLATE_KEY', 'the key of a template from the Berbix dashboard');
  }
}

/**
 * The options from the environment, for `@nestjs/config`, in the namespace `nestjs-berbix`: inject them
 * with `berbixConfig.KEY`.
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
 * | `BERBIX_TEMPLATE_KEY` | none; `templateKey` of the configuration, required where it is read |
 *
 * A missing or malformed variable stops the boot with a {@link BerbixConfigurationError} that names it.
 *
 * @example
 * ```ts
 * imports: [ConfigModule.forRoot(), BerbixModule.forRootAsync(berbixConfig.asProvider())]
 * ```
 *
 * @example
 * ```ts
 * constructor(@Inject(berbixConfig.KEY) { templateKey }: ConfigType<typeof berbixConfig>) { ... }
 * ```
 */
export const berbixConfig = registerAs(
  'nestjs-berbix',
  (): BerbixEnvironment => new BerbixEnvironment(),
);

/** Checks what comes of a variable as the option that it is, so that the sentence names the variable. */
function checked<T>(name: string, value: T, asOption: (value: T) => unknown): T {
  try {
    asOption(value);
    return value;
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
