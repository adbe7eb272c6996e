import { BerbixTokenStore, type InMemoryTokenStore } from 'nestjs-berbix';
import type { Lease, RecordRevision, StoredRecord } from 'nestjs-berbix/token-store';
import type { Sender } from './fake-api.js';

export type StoreCall =
  | 'load'
  | 'lease'
  | 'commit'
  | 'release'
  | 'forget'
  | 'compareAndSwap'
  | 'keys';

/**
 * What goes wrong with a call: it fails and is not done; it is done but the answer is lost; it is
 * done twice, as by a driver that repeats it, and the second answer arrives; it hangs and is not
 * done; or it takes some milliseconds on the way there or back.
 */
export type StoreFault = 'fail' | 'lost' | 'twice' | 'hang' | { thereMs?: number; backMs?: number };

/** What happens to the calls of all replicas. */
export interface StorePlan {
  /** Called once for each call. */
  fault(call: StoreCall, key: string, from: Sender): StoreFault | undefined;
  /** Awaited before a call is done, and again before its answer arrives. */
  gate(what: string, from: Sender): Promise<void>;
  /** Called at the moment when the call is done. */
  onDone(done: {
    call: StoreCall;
    key: string;
    from: Sender;
    text?: string;
    result: unknown;
  }): void;
}

/** The difference between the store's clock and the clock of the host. */
export const SKEW_MS = -777_000;

/** The connection of one replica to the store that all share. */
export class ReplicaStore extends BerbixTokenStore {
  readonly description = 'the store of the test';
  readonly shared = true;
  readonly durable = true;

  constructor(
    private readonly server: () => InMemoryTokenStore,
    private readonly from: Sender,
    private readonly plan: StorePlan,
  ) {
    super();
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const record = await this.#pass('load', key, () => this.server().load(key));
    return record && { ...record, now: record.now + SKEW_MS };
  }

  async lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    const lease = await this.#pass(
      'lease',
      key,
      () => this.server().lease(key, expected, ttlMs, note),
      note,
    );
    return lease && { ...lease, now: lease.now + SKEW_MS };
  }

  commit(key: string, version: number, value: string): Promise<number | undefined> {
    return this.#pass('commit', key, () => this.server().commit(key, version, value), value);
  }

  release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    return this.#pass('release', key, () => this.server().release(key, expected, note), note);
  }

  forget(key: string, expected: RecordRevision): Promise<boolean> {
    return this.#pass('forget', key, () => this.server().forget(key, expected));
  }

  compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    return this.#pass(
      'compareAndSwap',
      key,
      () => this.server().compareAndSwap(key, expected, value),
      value,
    );
  }

  keys(prefix: string): Promise<{ keys: string[]; cursor: undefined }> {
    return this.#pass('keys', prefix, () => this.server().keys(prefix));
  }

  async #pass<T>(
    call: StoreCall,
    key: string,
    operation: () => Promise<T>,
    text?: string,
  ): Promise<T> {
    const { from, plan } = this;
    const fault = plan.fault(call, key, from);
    const { thereMs = 0, backMs = 0 } = typeof fault === 'object' ? fault : {};
    await plan.gate(`${call} there`, from);
    if (thereMs > 0) await pass(thereMs);
    if (from.isDead || fault === 'hang') return never();
    if (fault === 'fail') throw Object.assign(new Error('canary'), { code: 'ECONNREFUSED' });
    // The store in memory acts before its first await, so the call is done now.
    if (fault === 'twice')
      plan.onDone({ call, key, from, text, result: await operation() } as never);
    const doing = operation();
    const result = await doing;
    plan.onDone({ call, key, from, text, result } as never);
    await plan.gate(`${call} back`, from);
    if (backMs > 0) await pass(backMs);
    if (from.isDead) return never();
    if (fault === 'lost') throw Object.assign(new Error('canary'), { code: 'ECONNRESET' });
    return result;
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
