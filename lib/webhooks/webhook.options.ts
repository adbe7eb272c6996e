import { withTimeout } from '../concurrency/index.js';
import { BerbixConfigurationError, nameOf } from '../errors/index.js';
import { DEFAULT_ACCOUNT, checkBoolean, checkInteger, onlyKnown } from '../options/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';

/**
 * The secrets of one webhook, from its page in the dashboard: one, or several while you change it,
 * or a function that returns the current ones. The function is called for each delivery. If it
 * fails, or takes longer than five seconds, the delivery is answered with 503.
 */
export type BerbixWebhookSecrets =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>);

/** The options of the webhooks of one account. Each of the two webhooks has its own secret. */
export interface BerbixWebhookOptions {
  /** The secret of the webhook for a completed flow. Without it, this webhook is refused. */
  finished?: BerbixWebhookSecrets | undefined;

  /** The secret of the webhook for a new or changed action. Without it, this webhook is refused. */
  status?: BerbixWebhookSecrets | undefined;

  /**
   * Milliseconds by which the time of a signature may differ from now, in either direction.
   * @default 300000
   */
  toleranceMs?: number | undefined;

  /**
   * Milliseconds for which a delivery is reserved for one replica. If the process dies meanwhile, the
   * next retry after that time is handled. Set it longer than your handlers take, and shorter
   * than Berbix retries. How long that is, is not documented; the last retry of the sandbox comes
   * after 15 seconds.
   * Change it by at most a factor of two per deployment: a replica ends a lease that is more than
   * twice as long as its own, and handles the delivery again.
   * @default 10000
   */
  leaseMs?: number | undefined;

  /**
   * Confirms webhooks of a kind that no method handles, which drops them. By default, they are
   * answered with 500, so that Berbix can send them again.
   * @default false
   */
  confirmUnhandled?: boolean | undefined;
}

/** The injection token of the {@link WebhookSettings} of an account. */
export const BERBIX_WEBHOOK_SETTINGS = Symbol.for('berbix:webhook-settings');

/** Time limit of a function that returns secrets, in milliseconds. */
const SECRETS_TIMEOUT_MS = 5_000;

/** The validated options, with defaults. Loggers do not find the secrets in it. */
export class WebhookSettings {
  readonly toleranceMs: number;
  readonly leaseMs: number;
  readonly confirmUnhandled: boolean;
  readonly #secrets = new Map<WebhookKind, BerbixWebhookSecrets>();

  /** @throws {BerbixConfigurationError} that names the option and says what to do */
  constructor(
    options: BerbixWebhookOptions = {},
    readonly account = DEFAULT_ACCOUNT,
  ) {
    onlyKnown<BerbixWebhookOptions>('webhooks', options, {
      finished: true,
      status: true,
      toleranceMs: true,
      leaseMs: true,
      confirmUnhandled: true,
    });
    for (const kind of WEBHOOK_KINDS) {
      const secrets = options[kind];
      if (secrets === undefined) continue;
      this.#secrets.set(kind, typeof secrets === 'function' ? secrets : checked(kind, secrets));
    }
    this.toleranceMs = checkInteger('webhooks.toleranceMs', options.toleranceMs, 300_000);
    this.leaseMs = checkInteger('webhooks.leaseMs', options.leaseMs, 10_000);
    this.confirmUnhandled = checkBoolean('webhooks.confirmUnhandled', options.confirmUnhandled);
  }

  /** A message: nothing handles this kind, and what to do about it. */
  unhandled(kind: WebhookKind): string {
    const route = this.account === DEFAULT_ACCOUNT ? `'${kind}'` : `'${kind}', '${this.account}'`;
    return (
      `No method has @OnBerbixWebhook(${route}), so ${kind} webhooks are not confirmed. Add such a ` +
      'method to a provider, or set webhooks.confirmUnhandled to true to confirm and drop them.'
    );
  }

  /** Whether there is a secret for deliveries of this kind. */
  has(kind: WebhookKind): boolean {
    return this.#secrets.has(kind);
  }

  /**
   * The current secrets.
   *
   * @throws {BerbixConfigurationError} (perhaps as a rejection) if there are none for this kind, or
   * if the function fails or returns something that cannot be a secret; `retryable` if it failed
   */
  secrets(kind: WebhookKind): readonly string[] | Promise<readonly string[]> {
    const secrets = this.#secrets.get(kind);
    if (secrets === undefined) {
      throw new BerbixConfigurationError(
        `There is no secret for the ${kind} webhook, so its signature cannot be checked. Set webhooks.${kind} to the ` +
          'secret from the page of this webhook in the dashboard.',
      );
    }
    return typeof secrets === 'function'
      ? askSecrets(kind, secrets)
      : (secrets as readonly string[]);
  }
}

async function askSecrets(
  kind: WebhookKind,
  provide: Extract<BerbixWebhookSecrets, () => unknown>,
): Promise<readonly string[]> {
  const failed = (what: string): BerbixConfigurationError =>
    new BerbixConfigurationError(
      `The function given as webhooks.${kind} ${what}. It must return the secrets of this webhook within ${SECRETS_TIMEOUT_MS} ms.`,
      { retryable: true },
    );
  const work = async (): Promise<unknown> => {
    try {
      return await provide();
    } catch (error) {
      // Without the message, which may quote what the function was reading (I10).
      throw failed(`failed (${nameOf(error)})`);
    }
  };
  return checked(kind, await withTimeout(work, SECRETS_TIMEOUT_MS, () => failed('is too slow')));
}

function checked(kind: WebhookKind, secrets: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(secrets) ? [...secrets] : [secrets];
  const problem = list.length === 0 ? 'is an empty list' : list.map(findProblem).find(Boolean);
  if (problem === undefined) return list as string[];
  throw new BerbixConfigurationError(
    `webhooks.${kind} ${problem}. Pass the secret exactly as it is on the page of this webhook in the ` +
      'dashboard, or a list of such secrets.',
  );
}

/** Without the value: somebody may have passed another secret by mistake (I10). */
function findProblem(secret: unknown): string | undefined {
  if (secret === undefined || secret === null || secret === '') return 'has an empty secret';
  if (typeof secret !== 'string') return `has a secret of type ${typeof secret}, not a string`;
  if (/^\s|\s$|\p{Cc}/u.test(secret)) return 'has a secret with a space or line break around it';
  return undefined;
}
