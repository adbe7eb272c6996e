import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { BerbixTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';

const POSTGRES_URL = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
const REDIS_URL = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

/** Stores that processes share. */
export const STORES = ['postgres', 'redis'] as const;
export type Store = (typeof STORES)[number];

export function isStore(name: string): name is Store {
  return STORES.some((store) => store === name);
}

/** Where the records are kept: a table, or what keys begin with. */
export interface Place {
  name: string;
  remove(): Promise<void>;
}

/**
 * An empty place in the store.
 *
 * @throws whatever the driver throws when the server does not answer
 */
export async function preparePlace(store: Store): Promise<Place> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  if (store === 'postgres') {
    const pool = openPostgres();
    await new PostgresTokenStore(pool, { table: name }).createTable();
    const remove = async (): Promise<void> => {
      await pool.query(`DROP TABLE ${name}`);
      await pool.end();
    };
    return { name, remove };
  }
  const client = openRedis();
  await client.ping();
  const remove = async (): Promise<void> => {
    for await (const keys of client.scanStream({ match: `${name}*`, count: 1_000 })) {
      if (keys.length > 0) await client.unlink(keys);
    }
    client.disconnect();
  };
  return { name, remove };
}

/** The store of one process. */
export function openStore(store: Store, place: string): BerbixTokenStore {
  return store === 'postgres'
    ? new PostgresTokenStore(openPostgres(), { table: place })
    : new RedisTokenStore(openRedis(), { prefix: place });
}

export function openPostgres(): pg.Pool {
  return new pg.Pool({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
}

export function openRedis(): Redis {
  return new Redis(REDIS_URL, { maxRetriesPerRequest: 0, commandTimeout: 2_000 });
}
