import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { registerAs } from '@nestjs/config';
import type { BerbixModuleOptions } from './berbix.options.js';
import { BerbixConfigurationError } from './errors/index.js';
import { ApiSecret, httpSettings, type BerbixHttpOptions } from './http/index.js';
import { berbixEncryptionFromEnvironment } from './token-store/index.js';
import { WebhookSettings } from './webhooks/index.js';

/**
 * The configuration of {@link berbixConfig}: the options of the module, and the template key for
 * the application. Spreading it (`{ ...config, store }`) copies only the options.
 */
class BerbixEnvironment implements BerbixModuleOptions {
  readonly allowInsecure = boolean('BERBIX_ALLOW_INSECURE');

  readonly apiSecret = checked(
    'BERBIX_API_SECRET',
    required('BERBIX_API_SECRET', 'the API secret from the Berbix dashboard'),
    (apiSecret) => new ApiSecret(apiSecret),
  );

  readonly apiHost = checked('BERBIX_API_HOST', optional('BERBIX_API_HOST'), (apiHost) =>
    httpSettings({ apiHost, allowInsecure: this.allowInsecure }),
  );

  readonly totalTimeoutMs = checked(
    'BERBIX_TOTAL_TIMEOUT_MS',
    number('BERBIX_TOTAL_TIMEOUT_MS'),
    (totalTimeoutMs) => httpSettings({ totalTimeoutMs }),
  );

  readonly timeoutMs = checked('BERBIX_TIMEOUT_MS', number('BERBIX_TIMEOUT_MS'), (timeoutMs) =>
    httpSettings({ timeoutMs, totalTimeoutMs: this.totalTimeoutMs }),
  );

  readonly http = {
    proxy: checked('BERBIX_PROXY', optional('BERBIX_PROXY'), (proxy) => this.#check({ proxy })),
    ca: checked('BERBIX_CA_FILE', file('BERBIX_CA_FILE', 'certificate'), (ca) =>
      this.#check({ ca }),
    ),
    extraCa: checked(
      'BERBIX_EXTRA_CA_FILE',
      file('BERBIX_EXTRA_CA_FILE', 'certificate'),
      (extraCa) => this.#check({ extraCa }),
    ),
    ...checked(
      'BERBIX_CLIENT_CERT_FILE or BERBIX_CLIENT_KEY_FILE',
      {
        cert: file('BERBIX_CLIENT_CERT_FILE', 'certificate'),
        key: file('BERBIX_CLIENT_KEY_FILE', 'private key'),
      },
      (identity) => this.#check(identity),
    ),
  };

  readonly encryption = berbixEncryptionFromEnvironment();

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
   * The template for verifications of this application. Read it in a constructor, so that a missing
   * one stops the boot.
   *
   * @throws {BerbixConfigurationError} if `BERBIX_TEMPLATE_KEY` is not set
   */
  get templateKey(): string {
    if (this.#templateKey !== undefined) return this.#templateKey;
    return required('BERBIX_TEMPLATE_KEY', 'the key of a template from the Berbix dashboard');
  }

  /** What is printed of the configuration, or of the application that has it (I10). */
  toJSON(): string {
    return '[options of BerbixModule]';
  }

  [inspect.custom](): string {
    return this.toJSON();
  }

  #check(http: BerbixHttpOptions): void {
    const { apiHost, allowInsecure } = this;
    httpSettings({ apiHost, allowInsecure, http });
  }
}

/**
 * The options from the environment, for `@nestjs/config`, in the namespace `nestjs-berbix`. Inject
 * them with `berbixConfig.KEY`.
 *
 * | variable | option |
 * | --- | --- |
 * | `BERBIX_API_SECRET` | `apiSecret`, required |
 * | `BERBIX_API_HOST` | `apiHost` |
 * | `BERBIX_TIMEOUT_MS` | `timeoutMs` |
 * | `BERBIX_TOTAL_TIMEOUT_MS` | `totalTimeoutMs` |
 * | `BERBIX_PROXY` | `http.proxy`: a URL, or `environment` |
 * | `BERBIX_CA_FILE`, `BERBIX_EXTRA_CA_FILE` | `http.ca` and `http.extraCa`: paths of PEM files |
 * | `BERBIX_CLIENT_CERT_FILE`, `BERBIX_CLIENT_KEY_FILE` | `http.cert` and `http.key`: paths of PEM files |
 * | `BERBIX_ENCRYPTION_KEYS` | `encryption`, as `id:base64,id:base64`; the first is the current one |
 * | `BERBIX_WEBHOOK_FINISHED_SECRET`, `BERBIX_WEBHOOK_STATUS_SECRET` | `webhooks`; several secrets are separated by commas |
 * | `BERBIX_ALLOW_INSECURE` | `allowInsecure`, `true` or `false` |
 * | `BERBIX_TEMPLATE_KEY` | none; it is `templateKey` of the configuration, and required when that is read |
 *
 * A malformed variable, or a missing one that is required, stops the boot with a
 * {@link BerbixConfigurationError} that names it. Without encryption keys, the store contains
 * plaintext.
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

/** Validates a value as its option, with an error that names the variable. */
function checked<T>(name: string, value: T, asOption: (value: T) => unknown): T {
  try {
    asOption(value);
    return value;
  } catch (error) {
    throw error instanceof BerbixConfigurationError
      ? new BerbixConfigurationError(
          `The environment variable ${name} is invalid: ${error.message}`,
        )
      : error;
  }
}

function optional(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** The content of the PEM file that a variable names. No message quotes the variable (I10). */
function file(name: string, what: 'certificate' | 'private key'): string | undefined {
  const path = optional(name);
  if (path === undefined) return undefined;
  const text = read(name, path);
  if (new RegExp(`-----BEGIN [A-Z ]*${what}-----[^]+-----END `, 'i').test(text)) return text;
  throw new BerbixConfigurationError(`The file named by ${name} has no ${what} in PEM format.`);
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = path.includes('-----BEGIN')
      ? 'must be the path of a PEM file, not its content'
      : `names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new BerbixConfigurationError(`The environment variable ${name} ${reason}.`);
  }
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

/** NaN if it is not a number, which no option accepts. */
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
