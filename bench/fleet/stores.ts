import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { InMemoryTokenStore, type BerbixTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';
import type { Contestant } from './contestants.js';

const POSTGRES_URL = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
const REDIS_URL = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

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
export async function preparePlace(contestant: Contestant): Promise<Place> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  if (contestant === 'postgres') {
    const pool = new pg.Pool({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
    await new PostgresTokenStore(pool, { table: name }).createTable();
    const remove = async (): Promise<void> => {
      await pool.query(`DROP TABLE ${name}`);
      await pool.end();
    };
    return { name, remove };
  }
  if (contestant === 'redis') {
    const client = openRedis();
    await client.ping();
    const remove = async (): Promise<void> => {
      const keys = await client.keys(`${name}*`);
      if (keys.length > 0) await client.unlink(keys);
      client.disconnect();
    };
    return { name, remove };
  }
  return { name, remove: async () => {} };
}

/** The store of a process of the fleet. */
export function openStore(contestant: Contestant, place: string): BerbixTokenStore {
  if (contestant === 'postgres') {
    const pool = new pg.Pool({ connectionString: POSTGRES_URL });
    return new PostgresTokenStore(pool, { table: place });
  }
  if (contestant === 'redis') return new RedisTokenStore(openRedis(), { prefix: place });
  return new InMemoryTokenStore();
}

function openRedis(): Redis {
  return new Redis(REDIS_URL, { maxRetriesPerRequest: 0, commandTimeout: 2_000 });
}
