import type { WebhookKind } from '../../wire/index.js';
import type { WebhookFault } from './webhook.js';

/** One webhook and its delivery. */
export interface WebhookDelivery {
  /** The same after a restart. */
  readonly id: string;
  readonly kind: WebhookKind;
  /** In decimal digits, since a number may lose some. */
  readonly transactionId: string;
  readonly customerUid: string;
  readonly url: string;
  /** The raw body. */
  readonly body: string;
  /** Headers of the latest attempt; names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the sandbox spoils it; `undefined` if it does not. */
  readonly fault: WebhookFault | undefined;
  /** The delivery that this one repeats. */
  readonly resendOf: string | undefined;
  /** When the first attempt began, by the clock of the sandbox. */
  readonly sentAt: Date | undefined;
  /** Number of attempts so far. */
  readonly attempts: number;
  /** Status of the latest answer; `undefined` if the latest attempt had none. */
  readonly status: number | undefined;
  /** Why the latest attempt had no answer, such as `ECONNREFUSED`. */
  readonly problem: string | undefined;
  /** Whether an attempt was answered with 2xx. */
  readonly delivered: boolean;
}

/** A record that the sandbox still writes to. @internal */
export type OpenDelivery = { -readonly [Key in keyof WebhookDelivery]: WebhookDelivery[Key] };

const MAX_DELIVERIES = 1000;

/**
 * The last 1000 webhooks, in the order in which they were first sent.
 *
 * @example
 * await sandbox.webhooks.settled();
 * expect(sandbox.deliveries.last).toMatchObject({ kind: 'finished', delivered: true });
 */
export class DeliveryLog implements Iterable<WebhookDelivery> {
  #deliveries: WebhookDelivery[] = [];
  readonly #listeners = new Set<(delivery: WebhookDelivery) => void>();

  /** The number of webhooks. */
  get length(): number {
    return this.#deliveries.length;
  }

  /** The latest, if any. */
  get last(): WebhookDelivery | undefined {
    return this.#deliveries.at(-1);
  }

  [Symbol.iterator](): Iterator<WebhookDelivery> {
    return this.#deliveries.values();
  }

  /** The webhook with this id. */
  find(id: string): WebhookDelivery | undefined {
    return this.#deliveries.find((delivery) => delivery.id === id);
  }

  /** The webhooks of this kind. */
  of(kind: WebhookKind): WebhookDelivery[] {
    return this.#deliveries.filter((delivery) => delivery.kind === kind);
  }

  /** Empties the log; deliveries continue. */
  clear(): void {
    this.#deliveries = [];
  }

  /** The records, for `JSON.stringify`. */
  toJSON(): readonly WebhookDelivery[] {
    return this.#deliveries;
  }

  /** Calls the listener after each attempt. @returns a function that removes it @internal */
  onAttempt(listener: (delivery: WebhookDelivery) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves after the first attempt. @internal */
  firstAttempt(delivery: WebhookDelivery): Promise<void> {
    if (isAttempted(delivery)) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.onAttempt((attempted) => {
        if (attempted.id !== delivery.id) return;
        stop();
        resolve();
      });
    });
  }

  /** @internal */
  attempted(delivery: WebhookDelivery): void {
    for (const listener of this.#listeners) listener(delivery);
  }

  /** @internal */
  add(delivery: WebhookDelivery): void {
    this.#deliveries.push(delivery);
    if (this.#deliveries.length > MAX_DELIVERIES) this.#deliveries.shift();
  }
}

/** Whether an attempt has ended. */
function isAttempted({ attempts, status, problem }: WebhookDelivery): boolean {
  return attempts > 1 || status !== undefined || problem !== undefined;
}
