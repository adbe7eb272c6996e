import { WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import { SandboxOptionError } from '../errors/sandbox-option.error.js';
import { isPastable, PASTABLE_CHARACTERS } from '../pastable.js';
import { randomAlphanumerics } from '../random.js';
import type { SandboxWebhooksOptions, WebhookOptions } from './webhook.options.js';

/** The secret of each webhook. */
export type WebhookSecrets = Readonly<Record<WebhookKind, string>>;

/** The options with every value checked and every default filled in. */
export interface WebhookSettings {
  readonly urls: Readonly<Partial<Record<WebhookKind, string>>>;
  readonly secrets: WebhookSecrets;
  readonly retryDelayMs: number;
  readonly timeoutMs: number;
  readonly ca: string | undefined;
}

/** How far apart the tries are and how long one takes: see the assumption in webhook-sender.ts. */
const RETRY_DELAY_MS = 1000;
const TIMEOUT_MS = 10_000;
/** An hour: more than anybody waits for, and far from what a timer cannot hold. */
const MOST_MILLISECONDS = 3_600_000;
/** The secret in a test of the Go SDK begins with `whs_live_`. [sdk: go 0cf9881 berbix_test.go] */
const SECRET_PREFIX = 'whs_test_';

const MEMBERS = [...WEBHOOK_KINDS, 'retryDelayMs', 'timeoutMs', 'ca'];

/**
 * Checks the options of the webhooks and fills in what is missing.
 *
 * @throws {SandboxOptionError} for a value that cannot be used and for an option that does not exist
 */
export function resolveWebhooks(
  given: SandboxWebhooksOptions | undefined,
  kept: Partial<WebhookSecrets> = {},
): WebhookSettings {
  const options = given ?? {};
  checkMembers('webhooks', options, MEMBERS);
  for (const kind of WEBHOOK_KINDS) {
    checkMembers(`webhooks.${kind}`, options[kind] ?? {}, ['url', 'secret']);
  }
  const { finished = {}, status = {} } = options;
  return {
    urls: { finished: urlOf('finished', finished), status: urlOf('status', status) },
    secrets: {
      finished: secretOf('finished', finished, kept.finished),
      status: secretOf('status', status, kept.status),
    },
    retryDelayMs: milliseconds(options, 'retryDelayMs', RETRY_DELAY_MS),
    timeoutMs: milliseconds(options, 'timeoutMs', TIMEOUT_MS),
    ca: certificates(options.ca),
  };
}

/** What is wrong with a URL for webhooks, or `undefined`. */
export function problemOfUrl(url: unknown): string | undefined {
  const fits =
    typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return fits ? undefined : 'must be a URL that begins with http:// or https://';
}

function urlOf(kind: WebhookKind, { url }: WebhookOptions): string | undefined {
  const problem = url === undefined ? undefined : problemOfUrl(url);
  if (problem !== undefined) throw new SandboxOptionError(`webhooks.${kind}.url`, problem);
  return url;
}

/** The value is not part of the message: somebody may have passed a real secret. */
function secretOf(kind: WebhookKind, { secret }: WebhookOptions, kept?: string): string {
  const value: unknown = secret ?? kept ?? SECRET_PREFIX + randomAlphanumerics();
  if (isPastable(value)) return value;
  throw new SandboxOptionError(
    `webhooks.${kind}.secret`,
    `must be one or more ${PASTABLE_CHARACTERS}`,
  );
}

function milliseconds(
  options: SandboxWebhooksOptions,
  name: 'retryDelayMs' | 'timeoutMs',
  fallback: number,
): number {
  const value = options[name] ?? fallback;
  if (Number.isInteger(value) && value >= 1 && value <= MOST_MILLISECONDS) return value;
  throw new SandboxOptionError(
    `webhooks.${name}`,
    `must be a whole number from 1 to ${MOST_MILLISECONDS}`,
  );
}

function certificates(ca: unknown): string | undefined {
  if (ca === undefined || (typeof ca === 'string' && ca.includes('-----BEGIN'))) return ca;
  throw new SandboxOptionError('webhooks.ca', 'must be certificates in PEM');
}

function checkMembers(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SandboxOptionError(option, 'must be an object');
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SandboxOptionError(
      `${option}.${unknown}`,
      `is not an option of the sandbox; ${option} has ${known.join(', ')}`,
    );
  }
}
