import { Limiter, NoTurn } from '../concurrency/index.js';
import { BerbixStoreError, isBerbixError } from '../errors/index.js';
import type { BerbixTokenStore, Lease, SeenRecord, StoredRecord } from './berbix-token-store.js';
import { StoreAnswers } from './store-answer.js';
import { storeFailure } from './store-failure.js';

/** An answer, and when the store was asked for it, by `performance.now()`: never after its own `now`. */
export type Timed<T> = T & { readonly askedAt: number };

/** Calls to the store at a time; others wait for a turn, as long as the store answers at all. */
const MAX_CONCURRENT = 32;

/**
 * Reads and leases are refused if they would wait for their turn this many times as long as a call may
 * take. What ends something that was begun waits as long as it must.
 */
const MAX_WAIT_CALLS = 10;

/** How long to wait before a store that is still connecting is checked again, in milliseconds. */
const BETWEEN_CHECKS_MS = 50;

/**
 * A store as the services of an account use it, for tokens and for webhooks: each call has the same
 * time limit, each failure is a {@link BerbixStoreError}, and each answer has the shape that the
 * contract promises.
 */
export class CheckedStore {
  readonly description: string;
  readonly shared: boolean;
  readonly durable: boolean;
  readonly #turns = new Limiter(MAX_CONCURRENT);
  readonly #answers: StoreAnswers;
  /** When the store last answered, with an error or not, by `performance.now()`. */
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
   * Checks whether the store can be used, if it has a check. One that is still connecting is asked
   * again, for as long as one call may take.
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

  /** The same after a commit whose outcome must be known: never refused for a long queue. */
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

  /** The answer, and the local time at which the store was asked. */
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

  /** The same for a call that only reads or begins: it fails if its turn would come too late. */
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

  /** Whether the store has been silent since then, for as long as one call may take. */
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

/** Only these two: a user's own store may serialize everything it is given. */
function only({ version, fence }: SeenRecord): SeenRecord {
  return { version, fence };
}
