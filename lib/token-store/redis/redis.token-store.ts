import { BerbixConfigurationError } from '../../errors/index.js';
import { checkBoolean, onlyKnown } from '../../options/index.js';
import {
  BerbixTokenStore,
  type Lease,
  type RecordRevision,
  type StoredRecord,
} from '../berbix-token-store.js';
import { StoreAnswers } from '../store-answer.js';
import { serverCode, storeFailure } from '../store-failure.js';
import { scanPage, type RedisScanner } from './scan.js';
import { SCRIPTS, type RedisScript } from './scripts.js';

/** The part of a `Redis` or `Cluster` of ioredis that the store uses. */
export interface RedisClient extends RedisScanner {
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
}

/** The options of a {@link RedisTokenStore}. */
export interface RedisTokenStoreOptions {
  /** The prefix of every key; `berbix:` by default. */
  prefix?: string | undefined;
  /**
   * Whether a confirmed write survives a crash of Redis: `appendonly yes` with `appendfsync
   * always`. Not every host lets clients read these settings, so set it yourself. False by default.
   */
  durable?: boolean | undefined;
}

/**
 * Stores tokens in Redis 6 or later, or in a Redis Cluster. Each record is a hash, and each step
 * one script on one key.
 *
 * The server must not lose records. Set `maxmemory-policy noeviction`, since an evicted record is a
 * lost refresh token, and `appendonly yes`; see {@link RedisTokenStoreOptions.durable}. After a
 * failover, the last writes may be missing.
 *
 * The client must fail rather than wait, and must not send a step twice. Set `enableOfflineQueue:
 * false`, `commandTimeout` to a second or two, and `maxRetriesPerRequest: 0`. A `keyPrefix` of the
 * client comes before the prefix of the store.
 *
 * Every failure is a BerbixStoreError with the first word of the Redis error or the system error
 * code as `reason`.
 *
 * @example
 * ```ts
 * const redis = new Redis(url, {
 *   enableOfflineQueue: false,
 *   commandTimeout: 1_000,
 *   maxRetriesPerRequest: 0,
 * });
 * const store = new RedisTokenStore(redis, { durable: true });
 * ```
 */
export class RedisTokenStore extends BerbixTokenStore {
  readonly description = 'Redis';
  readonly shared = true;
  readonly durable: boolean;
  readonly #client: RedisClient;
  readonly #prefix: string;

  /**
   * @param client of ioredis, which the application opens and quits
   * @throws {BerbixConfigurationError} for an invalid client or invalid options
   */
  constructor(client: RedisClient, options: RedisTokenStoreOptions = {}) {
    super();
    if (typeof client?.evalsha !== 'function') {
      throw new BerbixConfigurationError(
        'RedisTokenStore needs a client of ioredis: a Redis or a Cluster.',
      );
    }
    onlyKnown<RedisTokenStoreOptions>('RedisTokenStore', options, { prefix: true, durable: true });
    const { prefix = 'berbix:', durable } = options;
    if (typeof prefix !== 'string') {
      throw new BerbixConfigurationError('prefix must be text, such as "berbix:".');
    }
    this.#client = client;
    this.#prefix = prefix;
    this.durable = checkBoolean('durable', durable);
  }

  /** Checks that Redis answers and runs scripts, and that the client returns numbers as numbers. */
  override async check(): Promise<void> {
    const record = recordIn(await this.#run(SCRIPTS.check, 'check'));
    new StoreAnswers(this.description).record(record);
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const record = await this.#run(SCRIPTS.load, key);
    return record === null ? undefined : recordIn(record);
  }

  async lease(
    key: string,
    expected: RecordRevision,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    const lease = await this.#run(
      SCRIPTS.lease,
      key,
      expected.version,
      expected.leaseEpoch,
      ttlMs,
      note,
    );
    if (lease === null) return undefined;
    const [leaseEpoch, now] = lease as [number, number];
    return { leaseEpoch, now };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const committed = await this.#run(SCRIPTS.commit, key, version, value);
    return (committed as number | null) ?? undefined;
  }

  async release(key: string, expected: RecordRevision, note: string): Promise<boolean> {
    return (
      (await this.#run(SCRIPTS.release, key, expected.version, expected.leaseEpoch, note)) === 1
    );
  }

  async forget(key: string, expected: RecordRevision): Promise<boolean> {
    return (await this.#run(SCRIPTS.forget, key, expected.version, expected.leaseEpoch)) === 1;
  }

  async compareAndSwap(key: string, expected: string, value: string): Promise<boolean> {
    return (await this.#run(SCRIPTS.compareAndSwap, key, expected, value)) === 1;
  }

  /** Scans all keys of the database: for maintenance only. */
  async keys(
    prefix: string,
    cursor?: string,
  ): Promise<{ keys: string[]; cursor: string | undefined }> {
    return this.#guarded(async () => {
      const page = await scanPage(this.#client, this.#prefix + prefix, cursor);
      const withValue = await Promise.all(
        page.keys.map((key) => this.#client.hexists(key, 'value')),
      );
      const keys = page.keys.filter((_, i) => withValue[i] === 1);
      return { keys: keys.map((key) => key.slice(this.#prefix.length)), cursor: page.cursor };
    });
  }

  /**
   * Redis forgets scripts when it restarts. NOSCRIPT means that nothing ran, so the script is sent
   * again.
   */
  #run(script: RedisScript, key: string, ...args: (string | number)[]): Promise<unknown> {
    const all = [this.#prefix + key, ...args.map(String)];
    return this.#guarded(async () => {
      try {
        return await this.#client.evalsha(script.sha, 1, ...all);
      } catch (error) {
        if (serverCode(error) !== 'NOSCRIPT') throw error;
        return await this.#client.eval(script.text, 1, ...all);
      }
    });
  }

  async #guarded<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      return await step();
    } catch (error) {
      throw storeFailure(this.description, error);
    }
  }
}

/** The record in the answer of a script. */
function recordIn(answer: unknown): StoredRecord {
  const [version, leaseEpoch, value, note, leasedForMs, now] = answer as [
    number,
    number,
    string | null,
    string | null,
    number,
    number,
  ];
  return {
    version,
    leaseEpoch,
    value: value ?? undefined,
    note: note ?? undefined,
    leasedForMs,
    now,
  };
}
