import {
  BerbixTokenStore,
  type Lease,
  type RecordRevision,
  type StoredRecord,
} from 'nestjs-berbix/token-store';

/** Wraps a store, and measures how long each step takes. */
export class TimedTokenStore extends BerbixTokenStore {
  readonly description: string;
  readonly shared: boolean;
  readonly durable: boolean;

  constructor(
    private readonly store: BerbixTokenStore,
    private readonly observe: (step: string, ms: number) => void,
  ) {
    super();
    ({ description: this.description, shared: this.shared, durable: this.durable } = store);
  }

  load(key: string): Promise<StoredRecord | undefined> {
    return this.#time('load', this.store.load(key));
  }

  lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    return this.#time('lease', this.store.lease(key, expected, ttlMs, note));
  }

  commit(key: string, version: number, value: string): Promise<number | undefined> {
    return this.#time('commit', this.store.commit(key, version, value));
  }

  release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    return this.#time('release', this.store.release(key, expected, note));
  }

  forget(key: string, expected: RecordRevision): Promise<boolean> {
    return this.#time('forget', this.store.forget(key, expected));
  }

  compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    return this.#time('compareAndSwap', this.store.compareAndSwap(key, expected, value));
  }

  keys(prefix: string, cursor?: string): ReturnType<BerbixTokenStore['keys']> {
    return this.#time('keys', this.store.keys(prefix, cursor));
  }

  override async check(): Promise<void> {
    await this.store.check?.();
  }

  async #time<T>(step: string, result: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await result;
    } finally {
      this.observe(step, performance.now() - start);
    }
  }
}
