import type { CheckedStore, StoredRecord } from '../token-store/index.js';
import { readMark } from './webhook-deliveries.js';

const DAY_MS = 86_400_000;

/** Marks are kept for this long, which is far longer than retries go on. */
const REMEMBERED_MS = 30 * DAY_MS;

/** Longer than a sweep takes. If its process dies, another process begins after that. */
const LEASE_MS = 3_600_000;

/**
 * Removes the records of webhooks that were handled long ago. It runs once a day, in one of the
 * processes that share the store, and starts after a webhook was handled.
 */
export class WebhookSweep {
  #next = 0;
  #stopped = false;

  /**
   * @param prefix of the keys to check
   * @param key of the record with the time of the last sweep
   */
  constructor(
    private readonly store: CheckedStore,
    private readonly prefix: string,
    private readonly key: string,
  ) {}

  /**
   * Resolves to the number of removed records. Rejects if the store fails, and runs again a day
   * later.
   */
  async begin(): Promise<number> {
    if (this.#stopped || performance.now() < this.#next) return 0;
    this.#next = performance.now() + DAY_MS;
    const record = await this.store.load(this.key, LEASE_MS);
    if (record !== undefined && !isDue(record)) return 0;
    const { version, leaseEpoch } = record ?? { version: 0, leaseEpoch: 0 };
    const lease = await this.store.lease(this.key, { version, leaseEpoch }, LEASE_MS, '');
    if (lease === undefined) return 0;
    const removed = await this.#sweep();
    if (!this.#stopped) await this.store.commit(this.key, version, String(lease.now));
    return removed;
  }

  /** Ends a running sweep after its current step. */
  stop(): void {
    this.#stopped = true;
  }

  async #sweep(): Promise<number> {
    let removed = 0;
    let cursor: string | undefined;
    do {
      const page = await this.store.keys(this.prefix, cursor);
      for (const key of page.keys) {
        if (this.#stopped) return removed;
        if (await this.#removeIfOld(key)) removed++;
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
    return removed;
  }

  /** Resolves to whether the record was removed. One that is being handled again stays. */
  async #removeIfOld(key: string): Promise<boolean> {
    const record = await this.store.load(key);
    if (record?.value === undefined || record.leasedForMs > 0) return false;
    const at = readMark(record.value)?.at;
    if (at === undefined || at >= record.now - REMEMBERED_MS) return false;
    return this.store.forget(key, record);
  }
}

/** Whether the last sweep was long ago, or in the future, before the store's clock was set back. */
function isDue({ value, now }: StoredRecord): boolean {
  const last = Number(value ?? 0);
  return last > now || last <= now - DAY_MS;
}
