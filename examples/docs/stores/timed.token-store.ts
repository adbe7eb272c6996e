import { BerbixTokenStore, type Lease, type SeenRecord, type StoredRecord } from 'nestjs-berbix';

/** Another store, and how long each of its steps takes. */
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

  lease(key: string, seen: SeenRecord, ttlMs: number, note: string): Promise<Lease | undefined> {
    return this.#time('lease', this.store.lease(key, seen, ttlMs, note));
  }

  commit(key: string, version: number, value: string): Promise<number | undefined> {
    return this.#time('commit', this.store.commit(key, version, value));
  }

  release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    return this.#time('release', this.store.release(key, seen, note));
  }

  forget(key: string, seen: SeenRecord): Promise<boolean> {
    return this.#time('forget', this.store.forget(key, seen));
  }

  swap(key: string, expected: string, value: string): Promise<boolean> {
    return this.#time('swap', this.store.swap(key, expected, value));
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
