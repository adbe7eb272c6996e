import { BerbixConfigurationError } from '../errors/index.js';
import { checkInteger, onlyKnown } from '../http/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';
import { ANSWER_WITHIN_MS, inTime } from './in-time.js';
import type { BerbixWebhookOptions, BerbixWebhookSecrets } from './webhook.options.js';

/** The injection token of the {@link WebhookSettings} of an account. */
export const BERBIX_WEBHOOK_SETTINGS = Symbol.for('berbix:webhook-settings');

/** The options, checked and complete; the secrets are held where no logger finds them. */
export class WebhookSettings {
  readonly toleranceMs: number;
  readonly leaseMs: number;
  readonly confirmUnhandled: boolean;
  readonly #secrets = new Map<WebhookKind, BerbixWebhookSecrets>();

  /**
   * @param account as given to `forRoot`; undefined for the one without a name
   * @throws {BerbixConfigurationError} that names the option and says what to do
   */
  constructor(
    options: BerbixWebhookOptions = {},
    readonly account?: string,
  ) {
    onlyKnown('webhooks', options, [
      ...WEBHOOK_KINDS,
      'toleranceMs',
      'leaseMs',
      'confirmUnhandled',
    ] satisfies (keyof BerbixWebhookOptions)[]);
    for (const kind of WEBHOOK_KINDS) {
      const secrets = options[kind];
      if (secrets === undefined) continue;
      this.#secrets.set(kind, typeof secrets === 'function' ? secrets : checked(kind, secrets));
    }
    this.toleranceMs = checkInteger('webhooks.toleranceMs', options.toleranceMs, 300_000);
    this.leaseMs = checkInteger('webhooks.leaseMs', options.leaseMs, 10_000);
    this.confirmUnhandled = options.confirmUnhandled ?? false;
    if (typeof this.confirmUnhandled !== 'boolean') {
      throw new BerbixConfigurationError('webhooks.confirmUnhandled must be true or false.');
    }
  }

  /** Says that nothing handles this kind, and what to do. */
  unhandled(kind: WebhookKind): string {
    const route = this.account === undefined ? `'${kind}'` : `'${kind}', '${this.account}'`;
    return (
      `No method has @OnBerbixWebhook(${route}), so ${kind} webhooks are not confirmed, and Berbix sends them again. Add such ` +
      'a method to a provider, or set webhooks.confirmUnhandled to true to confirm and drop them.'
    );
  }

  /** Whether deliveries of this kind can be checked at all. */
  has(kind: WebhookKind): boolean {
    return this.#secrets.has(kind);
  }

  /**
   * Those in force now.
   *
   * @throws {BerbixConfigurationError} (perhaps as a rejection) when there are none for this kind,
   * or when the function fails or gives something that cannot be a secret; `retryable` if it failed
   */
  secrets(kind: WebhookKind): readonly string[] | Promise<readonly string[]> {
    const secrets = this.#secrets.get(kind);
    if (secrets === undefined) {
      throw new BerbixConfigurationError(
        `There is no secret for the ${kind} webhook, so nothing can be told from a forgery. Give the one ` +
          `from its page in the dashboard as webhooks.${kind}.`,
      );
    }
    return typeof secrets === 'function' ? ask(kind, secrets) : (secrets as readonly string[]);
  }
}

async function ask(
  kind: WebhookKind,
  provide: Extract<BerbixWebhookSecrets, () => unknown>,
): Promise<readonly string[]> {
  let secrets: unknown;
  try {
    secrets = await inTime(provide);
  } catch (error) {
    // Not the message: it may quote what the function was reading.
    const name = error instanceof Error ? error.name : typeof error;
    throw new BerbixConfigurationError(
      `The function given as webhooks.${kind} failed (${name}). It must answer the secrets of that hook within ${ANSWER_WITHIN_MS} ms.`,
      { retryable: true },
    );
  }
  return checked(kind, secrets);
}

function checked(kind: WebhookKind, secrets: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(secrets) ? [...secrets] : [secrets];
  const problem = list.length === 0 ? 'is an empty list' : list.map(problemOf).find(Boolean);
  if (problem === undefined) return list as string[];
  throw new BerbixConfigurationError(
    `webhooks.${kind} ${problem}. Give the secret from the page of that hook in the dashboard as it ` +
      'is there, or a list of such secrets.',
  );
}

/** Never with the value: somebody may have given a real secret in the wrong place. */
function problemOf(secret: unknown): string | undefined {
  if (secret === undefined || secret === null || secret === '') return 'has a secret that is empty';
  if (typeof secret !== 'string') return `has a secret of type ${typeof secret}, not a string`;
  if (/^\s|\s$|\p{Cc}/u.test(secret)) return 'has a space or a line break around a secret';
  return undefined;
}
