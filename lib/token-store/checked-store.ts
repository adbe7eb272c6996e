import { Limiter, NoTurn } from '../concurrency/index.js';
import { BerbixStoreError, isBerbixError } from '../errors/index.js';
import type { BerbixTokenStore, Lease, SeenRecord, StoredRecord } from './berbix-token-store.js';
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

  /** @param timeoutMs milliseconds for one call */
  constructor(
    private readonly store: BerbixTokenStore,
    private readonly timeoutMs: number,
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
    for (;;) {
      try {
        await this.#ask(async (store) => store.check?.());
        return;
      } catch (error) {
        const isPassing = isBerbixError(error) && error.retryable;
        if (!isPassing || performance.now() + BETWEEN_CHECKS_MS >= giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_CHECKS_MS));
      }
    }
  }

  async load(key: string): Promise<Timed<StoredRecord> | undefined> {
    return this.#timed(await this.#look((store) => store.load(key)));
  }

  /** `load` after a commit whose outcome must be known: never refused because of a long queue. */
  async loadAfterCommit(key: string): Promise<Timed<StoredRecord> | undefined> {
    return this.#timed(await this.#ask((store) => store.load(key)));
  }

  async lease(
    key: string,
    seen: SeenRecord,
    ttlMs: number,
    note: string,
  ): Promise<Timed<Lease> | undefined> {
    const [answer, askedAt] = await this.#look((store) =>
      store.lease(key, only(seen), ttlMs, note),
    );
    const lease = this.#answers.lease(answer);
    return lease && { ...lease, askedAt };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const [answer] = await this.#ask((store) => store.commit(key, version, value));
    return this.#answers.version(answer);
  }

  async release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    const [answer] = await this.#ask((store) => store.release(key, only(seen), note));
    return this.#answers.done('release', answer);
  }

  async forget(key: string, seen: SeenRecord): Promise<boolean> {
    const [answer] = await this.#ask((store) => store.forget(key, only(seen)));
    return this.#answers.done('forget', answer);
  }

  async keys(prefix: string, cursor?: string): ReturnType<BerbixTokenStore['keys']> {
    const [answer] = await this.#ask((store) => store.keys(prefix, cursor));
    return this.#answers.keys(answer);
  }

  #timed([answer, askedAt]: [StoredRecord | undefined, number]): Timed<StoredRecord> | undefined {
    const record = this.#answers.record(answer);
    return record && { ...record, askedAt };
  }

  /** Calls the store when its turn comes; resolves to the answer and the local time of the call. */
  #ask<T>(
    call: (store: BerbixTokenStore) => Promise<T>,
    deadline = Infinity,
  ): Promise<[T, number]> {
    const calledAt = performance.now();
    const run = async (): Promise<[T, number]> => {
      const askedAt = performance.now();
      // Fail fast: the store did not answer while this call was queued.
      if (this.#isSilentSince(calledAt)) throw this.#silence();
      try {
        return [await this.#inTime(call(this.store)), askedAt];
      } catch (error) {
        if (isBerbixError(error)) throw error;
        throw storeFailure(`The token store (${this.description})`, error);
      }
    };
    return this.#turns.run(run, { deadline });
  }

  /**
   * `#ask` for a call that only reads or begins something: it fails if its turn would come too
   * late.
   */
  async #look<T>(call: (store: BerbixTokenStore) => Promise<T>): Promise<[T, number]> {
    const calledAt = performance.now();
    const maxWaitMs = MAX_WAIT_CALLS * this.timeoutMs;
    try {
      return await this.#ask(call, calledAt + maxWaitMs);
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

  #inTime<T>(operation: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#silence()), this.timeoutMs);
      operation.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.#answeredAt = performance.now();
      });
    });
  }

  #silence(): BerbixStoreError {
    const what = `The token store (${this.description}) did not answer within ${this.timeoutMs} ms (storeTimeoutMs).`;
    return new BerbixStoreError(what, { retryable: true }, 'TIMEOUT');
  }
}

/** Only these two fields: a custom store may serialize everything that it receives. */
function only({ version, fence }: SeenRecord): SeenRecord {
  return { version, fence };
}
