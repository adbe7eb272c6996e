import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { LoggerService, Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixTokenService,
  InMemoryTokenStore,
  type BerbixModuleOptions,
  type BerbixTokens,
  type BerbixTransactionRef,
} from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import type { FreshTokensOptions } from '../../../lib/tokens/index.js';
import { CANARY, FakeApi, type Sender } from './fake-api.js';
import { ReplicaStore, type StoreCall, type StoreFault, type StorePlan } from './replica-store.js';
import { letTimeRun, settle, stopTime, valueOf } from './virtual-time.js';
import { TOTAL_TIMEOUT_MS, Watch, inRecord } from './watch.js';

/** One process of the fleet: an instance of the module, connected to the store and the API. */
export class Replica implements Sender {
  isDead = false;
  /** The replica is killed at this await of the store, counted from now. */
  diesAfterCalls = Infinity;
  module!: TestingModule;
  tokens!: BerbixTokenService;
  stop!: () => Promise<void>;

  constructor(
    readonly name: string,
    private readonly world: World,
  ) {}

  /** Calls `fresh()` under watch. */
  fresh(ref: BerbixTransactionRef | string | BerbixTokens, options?: FreshTokensOptions) {
    const call = options === undefined ? [ref] : [ref, options];
    return this.world.watch.calls(this, ref, options, () =>
      this.tokens.fresh(...(call as [BerbixTransactionRef, FreshTokensOptions])),
    );
  }

  /** Calls `refresh()` under watch. */
  refresh(tokens: BerbixTokens | string): Promise<BerbixTokens> {
    const call = () => this.tokens.refresh(tokens);
    return this.world.watch.calls(this, tokens, { leewayMs: 0 }, call);
  }

  remember(tokens: BerbixTokens | string, customerUid?: string): Promise<unknown> {
    return run(this.tokens.remember({ tokens, customerUid }));
  }

  forget(owner: BerbixTransactionRef): Promise<unknown> {
    return run(this.tokens.forget(owner));
  }

  /** Like kill -9: from now on, nothing from it reaches the store or the API. */
  kill(): void {
    this.isDead = true;
  }
}

/** Processes, the store they share and the API, in virtual time. */
export class World {
  readonly api = new FakeApi();
  memory: InMemoryTokenStore;
  readonly replicas: Replica[] = [];
  readonly logged: string[] = [];
  readonly watch = new Watch(this.api);
  /** For the named calls or for all, until it is unset. */
  storeFault: { fault: StoreFault; calls?: StoreCall[]; from?: Sender } | undefined;
  /** One for each of the next calls, before {@link storeFault} applies. */
  readonly storeFaults: { call: StoreCall; fault: StoreFault }[] = [];
  /** Calls to the store, in order. */
  readonly storeCalls: { call: StoreCall; key: string; from: Sender }[] = [];
  /** All writes; `text` is undefined if the record was forgotten. */
  #written: { key: string; text: string | undefined }[] = [];
  /** Awaited in each call to the store, on the way there and back. */
  storeGate: (what: string, from: Sender) => Promise<void> = () => Promise.resolve();

  /** @param seed of random numbers */
  constructor(seed = 1) {
    stopTime(seed);
    // After stopTime(): the store's clock would take the step to virtual time for a suspend.
    this.memory = new InMemoryTokenStore();
  }

  /** Starts a process. */
  async start(
    options: Partial<BerbixModuleOptions> = {},
    providers: Provider[] = [],
  ): Promise<Replica> {
    const replica = new Replica(`replica ${this.replicas.length}`, this);
    const imports = [
      BerbixModule.forRoot({
        apiSecret: `${CANARY}-secret`,
        retry: 0,
        totalTimeoutMs: TOTAL_TIMEOUT_MS,
        timeoutMs: TOTAL_TIMEOUT_MS,
        store: new ReplicaStore(() => this.memory, replica, this.#plan()),
        ...options,
        http: { ...options.http, dispatcher: this.api.dispatcher(replica) },
      }),
    ];
    const module = await withoutChance(() =>
      Test.createTestingModule({ imports, providers }).setLogger(this.#logger()).compile(),
    );
    replica.module = module;
    replica.tokens = module.get(BerbixTokenService);
    replica.stop = () => module.close();
    this.replicas.push(replica);
    return replica;
  }

  /** Creates a transaction and puts its tokens into the store. */
  async remembered(
    replica: Replica,
    id = '1',
    customerUid?: string,
  ): Promise<BerbixTransactionRef> {
    await valueOf(replica.remember(this.api.create(id), customerUid));
    return { transactionId: id };
  }

  /**
   * A failover to a server that lacks the last `lost` writes, or all of them by default.
   * Leases and notes are always lost.
   */
  async failOver(lost = Infinity): Promise<void> {
    await this.#restore(this.#written.slice(0, Math.max(0, this.#written.length - lost)));
  }

  /** A failover to a server that lacks the record. */
  async lose(key: string): Promise<void> {
    await this.#restore(this.#written.filter((write) => write.key !== key));
  }

  async #restore(written: { key: string; text: string | undefined }[]): Promise<void> {
    this.#written = written;
    this.memory = new InMemoryTokenStore();
    this.watch.failedOver();
    for (const { key, text } of written) {
      const seen = (await this.memory.load(key)) ?? { version: 0, leaseEpoch: 0 };
      if (text === undefined) await this.memory.forget(key, seen);
      else await this.memory.commit(key, seen.version, text);
    }
  }

  /** The record as it is stored, with its tokens and its note parsed. */
  async stored(id = '1') {
    const record = await this.memory.load(`default/transaction/${id}`);
    return {
      ...record,
      tokens: inRecord(record?.value),
      note: JSON.parse(record?.note ?? '{}') as Record<string, unknown>,
    };
  }

  /** The violations so far: those that {@link Watch} found, and secrets in the log. */
  get faults(): string[] {
    const leaks = this.logged.filter((line) => line.includes(CANARY));
    return [...this.watch.faults, ...leaks.map(() => 'I10: a secret in the log')];
  }

  /** Ends this world and returns the violations. */
  async end(): Promise<string[]> {
    const { faults } = this;
    for (const replica of this.replicas) replica.kill();
    await settle();
    letTimeRun();
    return faults;
  }

  #plan(): StorePlan {
    return {
      fault: (call, key, from) => {
        this.storeCalls.push({ call, key, from });
        const fault = this.#nextFault(call, from);
        if (fault !== undefined) this.watch.storeFailedAt = performance.now();
        return fault;
      },
      gate: async (what, from) => {
        const replica = from as Replica;
        if (--replica.diesAfterCalls <= 0) replica.kill();
        await this.storeGate(what, from);
      },
      onDone: (done) => {
        this.watch.stored(done);
        const { call, key, text, result } = done;
        if (call === 'commit' && result !== undefined) this.#written.push({ key, text });
        if (call === 'forget' && result === true) this.#written.push({ key, text: undefined });
      },
    };
  }

  #nextFault(call: StoreCall, from: Sender): StoreFault | undefined {
    const next = this.storeFaults.findIndex((planned) => planned.call === call);
    if (next >= 0) return this.storeFaults.splice(next, 1)[0]?.fault;
    const { fault, calls, from: only } = this.storeFault ?? {};
    const concerns = (calls?.includes(call) ?? true) && (only ?? from) === from;
    return concerns ? fault : undefined;
  }

  #logger(): LoggerService {
    const log = (...parts: unknown[]): void => {
      this.logged.push(parts.map((part) => inspect(part, { depth: 5 })).join(' '));
    };
    return { log: () => {}, warn: log, error: log, debug: log, verbose: log, fatal: log };
  }
}

/** Nest takes as many random numbers as it needs for ids, which depends on the tests before this one. */
async function withoutChance<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = () => randomInt(2 ** 32) / 2 ** 32;
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}

function run<T>(observable: Observable<T>): Promise<T> {
  return firstValueFrom(observable);
}

/** A world for each test of the file. A broken invariant in it fails the test. */
export function eachWorld(): { readonly world: World } {
  const holder = {} as { world: World };
  beforeEach(() => {
    holder.world = new World();
  });
  afterEach(async () => {
    expect(await holder.world.end()).toEqual([]);
  });
  return holder;
}
