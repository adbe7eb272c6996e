import { isOverlong, type CheckedStore, type StoredRecord } from '../token-store/index.js';
import { readMark } from './webhook-deliveries.js';

const DAY_MS = 86_400_000;

/** What was handled last is remembered for this long: far beyond any try. */
const REMEMBERED_MS = 30 * DAY_MS;

/** Longer than a sweep takes; if its process dies, another one begins after that. */
const LEASE_MS = 3_600_000;

/**
 * Forgets what was handled long ago, so that the records do not grow for ever: once a day, by one of
 * the processes that share the store, begun when a webhook was handled.
 */
export class WebhookSweep {
  #next = 0;
  #stopped = false;

  /**
   * @param prefix of the keys to look at
   * @param key of the record that tells when the last one was
   */
  constructor(
    private readonly store: CheckedStore,
    private readonly prefix: string,
    private readonly key: string,
  ) {}

  /** Resolves to how many were forgotten; rejects with what the store throws, and goes on a day later. */
  async begin(): Promise<number> {
    if (this.#stopped || performance.now() < this.#next) return 0;
    this.#next = performance.now() + DAY_MS;
    const record = await this.store.load(this.key);
    if (record !== undefined && !isDue(record)) return 0;
    const { version, fence, leasedForMs } = record ?? { version: 0, fence: 0, leasedForMs: 0 };
    if (isOverlong(leasedForMs, LEASE_MS)) {
      await this.store.release(this.key, { version, fence }, '');
    }
    const lease = await this.store.lease(this.key, { version, fence }, LEASE_MS, '');
    if (lease === undefined) return 0;
    const forgotten = await this.#sweep();
    if (!this.#stopped) await this.store.commit(this.key, version, String(lease.now));
    return forgotten;
  }

  /** Ends the one that is under way after its current step. */
  stop(): void {
    this.#stopped = true;
  }

  async #sweep(): Promise<number> {
    let forgotten = 0;
    let cursor: string | undefined;
    do {
      const page = await this.store.keys(this.prefix, cursor);
      for (const key of page.keys) {
        if (this.#stopped) return forgotten;
        if (await this.#forgetIfOld(key)) forgotten++;
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
    return forgotten;
  }

  /** Resolves to whether it was forgotten; one that is being handled again is left alone. */
  async #forgetIfOld(key: string): Promise<boolean> {
    const record = await this.store.load(key);
    if (record?.value === undefined || record.leasedForMs > 0) return false;
    const at = readMark(record.value)?.at;
    if (at === undefined || at >= record.now - REMEMBERED_MS) return false;
    return this.store.forget(key, record);
  }
}

/** Whether the last sweep was long ago; one in the future was before the store's clock was set back. */
function isDue({ value, now }: StoredRecord): boolean {
  const last = Number(value ?? 0);
  return last > now || last <= now - DAY_MS;
}
