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
  /** Headers of the latest try; names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the sandbox spoils it; `undefined` if it does not. */
  readonly fault: WebhookFault | undefined;
  /** The delivery that this one repeats. */
  readonly resendOf: string | undefined;
  /** When the first try began, by the clock of the sandbox. */
  readonly sentAt: Date | undefined;
  /** Number of tries so far. */
  readonly tries: number;
  /** Status of the latest answer; `undefined` if the latest try had none. */
  readonly status: number | undefined;
  /** Why the latest try had no answer, such as `ECONNREFUSED`. */
  readonly problem: string | undefined;
  /** Whether a try was answered with 2xx. */
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

  /** Calls the listener after each try. @returns a function that removes it @internal */
  onTry(listener: (delivery: WebhookDelivery) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves after the first try. @internal */
  firstTry(delivery: WebhookDelivery): Promise<void> {
    if (isTried(delivery)) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.onTry((tried) => {
        if (tried.id !== delivery.id) return;
        stop();
        resolve();
      });
    });
  }

  /** @internal */
  tried(delivery: WebhookDelivery): void {
    for (const listener of this.#listeners) listener(delivery);
  }

  /** @internal */
  add(delivery: WebhookDelivery): void {
    this.#deliveries.push(delivery);
    if (this.#deliveries.length > MAX_DELIVERIES) this.#deliveries.shift();
  }
}

/** Whether a try has ended. */
function isTried({ tries, status, problem }: WebhookDelivery): boolean {
  return tries > 1 || status !== undefined || problem !== undefined;
}
