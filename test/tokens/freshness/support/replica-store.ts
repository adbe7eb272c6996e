import {
  BerbixTokenStore,
  type InMemoryTokenStore,
  type Lease,
  type SeenRecord,
  type StoredRecord,
} from 'nestjs-berbix';
import type { Sender } from './fake-api.js';

export type StoreCall = 'load' | 'lease' | 'commit' | 'release' | 'forget' | 'swap' | 'keys';

/**
 * What goes wrong with a call: it fails and was not done; it was done and the answer is lost; it was
 * done twice, as by a driver that had no answer, and the second answer comes; there is no answer and
 * it was not done; it takes so many milliseconds there, or back.
 */
export type StoreFault = 'fail' | 'lost' | 'twice' | 'hang' | { thereMs?: number; backMs?: number };

/** What happens to the calls of all replicas. */
export interface StorePlan {
  /** Called once for each call. */
  fault(call: StoreCall, key: string, from: Sender): StoreFault | undefined;
  /** Waited for before a call is done and before its answer arrives. */
  gate(what: string, from: Sender): Promise<void>;
  /** Called in the moment in which the call is done. */
  onDone(done: {
    call: StoreCall;
    key: string;
    from: Sender;
    text?: string;
    result: unknown;
  }): void;
}

/** How far the store's clock is from that of the host. */
const SKEW_MS = -777_000;

/** One replica's way to the store that all share. */
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
    seen: SeenRecord,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    const lease = await this.#pass(
      'lease',
      key,
      () => this.server().lease(key, seen, ttlMs, note),
      note,
    );
    return lease && { ...lease, now: lease.now + SKEW_MS };
  }

  commit(key: string, version: number, value: string): Promise<number | undefined> {
    return this.#pass('commit', key, () => this.server().commit(key, version, value), value);
  }

  release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    return this.#pass('release', key, () => this.server().release(key, seen, note), note);
  }

  forget(key: string, seen: SeenRecord): Promise<boolean> {
    return this.#pass('forget', key, () => this.server().forget(key, seen));
  }

  swap(key: string, expected: string, value: string): Promise<boolean> {
    return this.#pass('swap', key, () => this.server().swap(key, expected, value), value);
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
    // The memory does it before the first await: in this moment.
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
