import { BerbixConfigurationError } from '../../errors/index.js';
import {
  BerbixTokenStore,
  type Lease,
  type SeenRecord,
  type StoredRecord,
} from '../berbix-token-store.js';
import { StoreAnswers } from '../store-answer.js';
import { refusalOf, storeFailure } from '../store-failure.js';
import { scanPage, type RedisScanner } from './scan.js';
import { SCRIPTS, type RedisScript } from './scripts.js';

/** What a store needs of a `Redis` or `Cluster` of ioredis. */
export interface RedisClient extends RedisScanner {
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
}

/** The options of a {@link RedisTokenStore}. */
export interface RedisTokenStoreOptions {
  /** What every key begins with; `berbix:` by default. */
  prefix?: string | undefined;
  /**
   * Whether a write that Redis has confirmed outlives a crash of it: `appendonly yes` with
   * `appendfsync always`. Redis cannot be asked on every host, so you say so. False by default.
   */
  durable?: boolean | undefined;
}

/**
 * Keeps tokens in Redis 6 or later, or in a Cluster of it: a hash for each record, each step one
 * script on one key.
 *
 * The server must keep what it is given: `maxmemory-policy noeviction`, for an evicted record is a
 * lost refresh token, and `appendonly yes`; see {@link RedisTokenStoreOptions.durable}. A replica
 * that takes over may lack the last writes.
 *
 * The client must fail rather than wait, and not send a step twice: `enableOfflineQueue: false`,
 * `commandTimeout` of a second or two, `maxRetriesPerRequest: 0`. A `keyPrefix` of the client comes
 * before the prefix of the store.
 *
 * Every failure is a BerbixStoreError with the first word of Redis's answer or the system's code as
 * `reason`.
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
   * @throws {BerbixConfigurationError} for a client or options that cannot be used
   */
  constructor(
    client: RedisClient,
    { prefix = 'berbix:', durable = false }: RedisTokenStoreOptions = {},
  ) {
    super();
    if (typeof client?.evalsha !== 'function') {
      throw new BerbixConfigurationError(
        'RedisTokenStore needs a client of ioredis: a Redis or a Cluster.',
      );
    }
    if (typeof prefix !== 'string') {
      throw new BerbixConfigurationError('prefix must be text, such as "berbix:".');
    }
    if (typeof durable !== 'boolean') {
      throw new BerbixConfigurationError('durable must be true or false.');
    }
    this.#client = client;
    this.#prefix = prefix;
    this.durable = durable;
  }

  /** Whether Redis answers, runs scripts and gives numbers as numbers. */
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
    seen: SeenRecord,
    ttlMs: number,
    note: string,
  ): Promise<Lease | undefined> {
    const lease = await this.#run(SCRIPTS.lease, key, seen.version, seen.fence, ttlMs, note);
    if (lease === null) return undefined;
    const [fence, now] = lease as [number, number];
    return { fence, now };
  }

  async commit(key: string, version: number, value: string): Promise<number | undefined> {
    const committed = await this.#run(SCRIPTS.commit, key, version, value);
    return (committed as number | null) ?? undefined;
  }

  async release(key: string, seen: SeenRecord, note: string): Promise<boolean> {
    return (await this.#run(SCRIPTS.release, key, seen.version, seen.fence, note)) === 1;
  }

  async forget(key: string, seen: SeenRecord): Promise<boolean> {
    return (await this.#run(SCRIPTS.forget, key, seen.version, seen.fence)) === 1;
  }

  async swap(key: string, expected: string, value: string): Promise<boolean> {
    return (await this.#run(SCRIPTS.swap, key, expected, value)) === 1;
  }

  /** Goes through all keys of the database: for maintenance, not for every day. */
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

  /** Redis forgets scripts when it restarts; it has not run one that it does not know. */
  #run(script: RedisScript, key: string, ...args: (string | number)[]): Promise<unknown> {
    const all = [this.#prefix + key, ...args.map(String)];
    return this.#guarded(async () => {
      try {
        return await this.#client.evalsha(script.sha, 1, ...all);
      } catch (error) {
        if (refusalOf(error) !== 'NOSCRIPT') throw error;
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

/** What a script gives of a record. */
function recordIn(answer: unknown): StoredRecord {
  const [version, fence, value, note, leasedForMs, now] = answer as [
    number,
    number,
    string | null,
    string | null,
    number,
    number,
  ];
  return {
    version,
    fence,
    value: value ?? undefined,
    note: note ?? undefined,
    leasedForMs,
    now,
  };
}
