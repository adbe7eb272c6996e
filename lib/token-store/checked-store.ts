import { Limiter, NoTurn, Pauses, withTimeout } from '../concurrency/index.js';
import { BerbixStoreError, isBerbixError } from '../errors/index.js';
import { failureOf, type EventBus } from '../events/index.js';
import { recordStoreCall, type StoreOperation } from '../telemetry/index.js';
import type {
  BerbixTokenStore,
  Lease,
  RecordRevision,
  StoredRecord,
} from './berbix-token-store.js';
import { StoreAnswers } from './store-answer.js';
import { storeFailure } from './store-failure.js';

/**
 * An answer, and when the store was asked, by `performance.now()`: never later than the `now` of
 * the answer.
 */
export type Timed<T> = T & { readonly askedAt: number };

/**
 * Maximum number of concurrent calls to the store; others wait for their turn while the store
 * answers.
 */
const MAX_CONCURRENT = 32;

/**
 * Reads and leases are refused if they would wait for their turn longer than this many call
 * timeouts. Calls that finish something wait as long as necessary.
 */
const MAX_WAIT_CALLS = 10;

/**
 * A lease of more than this many times `leaseMs` is longer than any replica takes. The factor is above
 * 1, since replicas may have different settings during a deployment.
 */
const OVERLONG = 2;

/** Milliseconds between two checks of a store that is still connecting. */
const BETWEEN_CHECKS_MS = 50;

/**
 * The store of an account, for tokens and for webhooks: each call has the same time limit, each
 * failure is a {@link BerbixStoreError}, and each answer has the types that the contract promises.
 */
export class CheckedStore {
  readonly description: string;
  readonly shared: boolean;
  readonly durable: boolean;
  readonly #turns = new Limiter(MAX_CONCURRENT);
  readonly #answers: StoreAnswers;
  /** When the store last answered, even with an error, by `performance.now()`. */
  #answeredAt = -Infinity;
  /** Whether the last call failed, for events. */
  #isFailing = false;

  /**
   * @param timeoutMs milliseconds for one call
   * @param events gets outages; omit it for a store that is not that of an account
   */
  constructor(
    private readonly store: BerbixTokenStore,
    private readonly timeoutMs: number,
    private readonly events?: EventBus,
  ) {
    ({ description: this.description, shared: this.shared, durable: this.durable } = store);
    this.#answers = new StoreAnswers(store.description);
  }

  /**
   * Runs the check of the store, if it has one. Retries for the time of one call, since the store
   * may still be connecting.
   */
  async check(): Promise<void> {
    const giveUpAt = performance.now() + this.timeoutMs;
    const pauses = new Pauses(BETWEEN_CHECKS_MS);
    for (;;) {
      try {
        await this.#ask('check', async (store) => store.check?.());
        return;
      } catch (error) {
        const isPassing = isBerbixError(error) && error.retryable;
        if (!isPassing || performance.now() + BETWEEN_CHECKS_MS >= giveUpAt) throw error;
        await pauses.next();
      }
    }
  }

  /** Asks for a record that is never there, to see whether the store answers. */
  async ping(): Promise<void> {
    await this.#look('load', (store) => store.load('ping'));
  }

  /**
   * @param leaseMs ends a lease that is much longer than these milliseconds. It seems so after the
   * store's clock was set back, when its holder may be long gone
   */
  async load(key: string, leaseMs = Infinity): Promise<Timed<StoredRecord> | undefined> {
    const record = this.#timed(await this.#look('load', (store) => store.load(key)));
    if (record === undefined || record.leasedForMs <= OVERLONG * leaseMs) return record;
    await this.release(key, record, record.note ?? '');
    return { ...record, leasedForMs: 0 };
  }

  /** `load` after a commit whose outcome must be known: never refused because of a long queue. */
  async loadAfterCommit(key: string): Promise<Timed<StoredRecord> | undefined> {
    return this.#timed(await this.#ask('load', (store) => store.load(key)));
  }

  async lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Timed<Lease> | undefined> {
    const [answer, askedAt] = await this.#look('lease', (store) =>
      store.lease(key, only(expected), ttlMs, note),
    );
    const lease = this.#answers.lease(answer);
    return lease && { leaseEpoch: lease.leaseEpoch, now: lease.now, askedAt };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const [answer] = await this.#ask('commit', (store) => store.commit(key, version, value));
    return this.#answers.version(answer);
  }

  async release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    const [answer] = await this.#ask('release', (store) =>
      store.release(key, only(expected), note),
    );
    return this.#answers.done('release', answer);
  }

  async forget(key: string, expected: RecordRevision): Promise<boolean> {
    const [answer] = await this.#ask('forget', (store) => store.forget(key, only(expected)));
    return this.#answers.done('forget', answer);
  }

  async keys(prefix: string, cursor?: string): ReturnType<BerbixTokenStore['keys']> {
    const [answer] = await this.#ask('keys', (store) => store.keys(prefix, cursor));
    return this.#answers.keys(answer);
  }

  #timed([answer, askedAt]: [StoredRecord | undefined, number]): Timed<StoredRecord> | undefined {
    const record = this.#answers.record(answer);
    if (record === undefined) return undefined;
    const { version, leaseEpoch, value, note, leasedForMs, now } = record;
    return { version, leaseEpoch, value, note, leasedForMs, now, askedAt };
  }

  /** Calls the store when its turn comes; resolves to the answer and the local time of the call. */
  #ask<T>(
    operation: StoreOperation,
    call: (store: BerbixTokenStore) => Promise<T>,
    deadline = Infinity,
  ): Promise<[T, number]> {
    const calledAt = performance.now();
    const run = (): Promise<[T, number]> => {
      // Fail fast: the store did not answer while this call was queued.
      if (this.#isSilentSince(calledAt)) throw this.#silence();
      return this.#observed(
        operation,
        withTimeout(
          () => this.#call(call),
          this.timeoutMs,
          () => this.#silence(),
        ),
      );
    };
    return this.#turns.run(run, { deadline });
  }

  /**
   * `#ask` for a call that only reads or begins something: it fails if its turn would come too
   * late.
   */
  async #look<T>(
    operation: StoreOperation,
    call: (store: BerbixTokenStore) => Promise<T>,
  ): Promise<[T, number]> {
    const calledAt = performance.now();
    const maxWaitMs = MAX_WAIT_CALLS * this.timeoutMs;
    try {
      return await this.#ask(operation, call, calledAt + maxWaitMs);
    } catch (error) {
      if (!(error instanceof NoTurn)) throw error;
      if (this.#isSilentSince(calledAt)) throw this.#silence();
      throw new BerbixStoreError(
        `Too many calls wait for the token store (${this.description}): this one could not end within ${maxWaitMs} ms.`,
        { retryable: true, retryAfterMs: error.retryAfterMs },
        'BUSY',
      );
    }
  }

  /** Whether the store has not answered since then, for at least the time of one call. */
  #isSilentSince(calledAt: number): boolean {
    return this.#answeredAt < calledAt && performance.now() - calledAt >= this.timeoutMs;
  }

  /** Measures the call; emits an event for the first failure, and one when the store answers again. */
  async #observed<T>(operation: StoreOperation, answer: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    let failure: string | undefined;
    try {
      const value = await answer;
      if (this.#isFailing) this.events?.emit('store.recovered', () => ({}));
      this.#isFailing = false;
      return value;
    } catch (error) {
      const thrown = error as BerbixStoreError;
      failure = thrown.code;
      if (!this.#isFailing) this.events?.emit('store.failed', () => failureOf(thrown));
      this.#isFailing = true;
      throw error;
    } finally {
      if (this.events !== undefined) {
        recordStoreCall({ account: this.events.account, operation, startedAt, failure });
      }
    }
  }

  async #call<T>(call: (store: BerbixTokenStore) => Promise<T>): Promise<[T, number]> {
    const askedAt = performance.now();
    try {
      return [await call(this.store), askedAt];
    } catch (error) {
      if (isBerbixError(error)) throw error;
      throw storeFailure(`The token store (${this.description})`, error);
    } finally {
      this.#answeredAt = performance.now();
    }
  }

  #silence(): BerbixStoreError {
    const what = `The token store (${this.description}) did not answer within ${this.timeoutMs} ms (storeTimeoutMs).`;
    return new BerbixStoreError(what, { retryable: true }, 'TIMEOUT');
  }
}

/** Only these two fields: a custom store may serialize everything that it receives. */
function only({ version, leaseEpoch }: RecordRevision): RecordRevision {
  return { version, leaseEpoch };
}
