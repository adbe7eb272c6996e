import type { BerbixTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { openPostgres, openRedis, preparePlace, type Store } from './harness/stores.js';
import type { Entry } from './scale.records.js';

/** One client of a server, with the store over it. */
export interface Client {
  readonly store: BerbixTokenStore;
  /** How many statements or scripts the store has sent so far. */
  sent(): number;
  /** The least that reads a record. */
  read(key: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** An empty place on a server, to be filled with records. */
export interface Server {
  readonly place: string;
  fill(entries: readonly Entry[]): Promise<void>;
  /** Bytes per record, with keys and indexes. @param sample keys, if there is no sum of all */
  bytesPerRecord(sample: readonly string[]): Promise<number>;
  /** Removes all records. */
  close(): Promise<void>;
}

export function openClient(store: Store, place: string): Client {
  return store === 'postgres' ? openPostgresClient(place) : openRedisClient(place);
}

export function openServer(store: Store): Promise<Server> {
  return store === 'postgres' ? openPostgresServer() : openRedisServer();
}

function openPostgresClient(table: string): Client {
  const pool = openPostgres();
  return {
    store: new PostgresTokenStore(pool, { table }),
    sent: countCalls(pool, 'query'),
    read: async (key) => {
      const { rows } = await pool.query<{ value: string }>(
        `SELECT value FROM ${table} WHERE key = $1`,
        [key],
      );
      return rows[0]?.value;
    },
    close: () => pool.end(),
  };
}

function openRedisClient(prefix: string): Client {
  const redis = openRedis();
  return {
    store: new RedisTokenStore(redis, { prefix }),
    sent: countCalls(redis, 'evalsha'),
    read: async (key) => (await redis.hget(prefix + key, 'value')) ?? undefined,
    close: async () => redis.disconnect(),
  };
}

async function openPostgresServer(): Promise<Server> {
  const { name, remove } = await preparePlace('postgres');
  const pool = openPostgres();
  return {
    place: name,
    fill: async (entries) => {
      await pool.query(
        `INSERT INTO ${name} (key, version, lease_epoch, value)
         SELECT key, 1, 0, value FROM unnest($1::text[], $2::text[]) AS entry (key, value)`,
        [entries.map(([key]) => key), entries.map(([, value]) => value)],
      );
    },
    bytesPerRecord: async () => {
      const { rows } = await pool.query<{ bytes: number }>(
        `SELECT pg_total_relation_size('${name}')::float8 / count(*) AS bytes FROM ${name}`,
      );
      return rows[0]?.bytes ?? NaN;
    },
    close: async () => {
      await pool.end();
      await remove();
    },
  };
}

async function openRedisServer(): Promise<Server> {
  const { name, remove } = await preparePlace('redis');
  const redis = openRedis();
  return {
    place: name,
    fill: async (entries) => {
      const pipeline = redis.pipeline();
      for (const [key, value] of entries) pipeline.hset(name + key, 'version', 1, 'value', value);
      await pipeline.exec();
    },
    bytesPerRecord: async (sample) => {
      const used = await Promise.all(sample.map((key) => redis.memory('USAGE', name + key)));
      return used.reduce<number>((sum, bytes) => sum + (bytes ?? NaN), 0) / sample.length;
    },
    close: async () => {
      redis.disconnect();
      await remove();
    },
  };
}

/** Counts the calls of a method from now on. */
function countCalls<Name extends string>(
  client: Record<Name, (...args: never[]) => unknown>,
  name: Name,
): () => number {
  let calls = 0;
  const method = client[name].bind(client);
  client[name] = (...args) => {
    calls++;
    return method(...args);
  };
  return () => calls;
}
