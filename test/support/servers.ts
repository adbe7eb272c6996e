import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, describe } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { type BerbixTokenStore, InMemoryTokenStore } from '../../lib/token-store/index.js';
import { describeWith } from './requirements.js';

/** What ends with the tests of a file. */
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

/** Where the servers are; undefined where none answers. */
export const POSTGRES_URL = await whereAnswers(
  process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  async (url) => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    // A connection that breaks is told by connect().
    client.on('error', () => {});
    try {
      await client.connect();
    } finally {
      await client.end();
    }
  },
);
export const REDIS_URL =
  (await whereAnswers(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379', pingRedis)) ??
  (await startRedis());

/** `describe` for tests of a server; where none answers they are skipped, and the end of the run says so. */
export const describeOnPostgres = describeWith('PostgreSQL', POSTGRES_URL !== undefined);
export const describeOnRedis = describeWith('Redis', REDIS_URL !== undefined);

/** `describe.each` for a table of servers and stores, by their names; `$name` in the title is replaced. */
export function describeEachOn<T extends { name: string }>(table: readonly T[]) {
  return (title: string, tests: (row: T) => void): void => {
    for (const row of table) {
      describeOn(row.name)(title.replace('$name', row.name), () => tests(row));
    }
  };
}

/** Whether this server, or the one that this store needs, answers. */
export function isAvailable({ name }: { name: string }): boolean {
  return describeOn(name) === describe;
}

function describeOn(name: string): typeof describe {
  if (name === 'PostgreSQL') return describeOnPostgres;
  return name === 'Redis' ? describeOnRedis : describe;
}

/** A store for a test, with nothing in it. */
export interface OpenedStore {
  readonly store: BerbixTokenStore;
  /** The same data, over connections of its own: what another replica has. */
  readonly another: BerbixTokenStore;
  /** Removes the data and closes the connections. */
  close(): Promise<void>;
}

/** Every store, for `describeEachOn(STORES)('on $name', ({ open }) => ...)`. */
export const STORES: readonly { name: string; open(): Promise<OpenedStore> }[] = [
  { name: 'InMemory', open: openMemory },
  { name: 'PGlite', open: openPglite },
  { name: 'PostgreSQL', open: openPostgres },
  { name: 'Redis', open: openRedis },
];

/** A name for a table that nobody else uses. */
export function uniqueTable(): string {
  return `test_${randomUUID().replaceAll('-', '')}`;
}

/** A prefix for keys of Redis that nobody else uses. */
export function uniquePrefix(): string {
  return `test:${randomUUID()}:`;
}

/** A pool on the server; end it. */
export function postgresPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: POSTGRES_URL, ...config });
  pool.on('error', () => {});
  return pool;
}

/** A client of the server that connects when it is used first; disconnect it. */
export function redisClient(options: RedisOptions = {}, url: string = REDIS_URL ?? ''): Redis {
  return new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    // How long ioredis keeps the process after disconnect() of a socket that never opened.
    disconnectTimeout: 100,
    ...options,
  }).on('error', () => {});
}

let pglite: Promise<PGlite> | undefined;

/** A PostgreSQL in this process, one for all tests of a file: it takes a second to start. */
export function sharedPglite(): Promise<PGlite> {
  if (pglite === undefined) {
    const starting = PGlite.create();
    pglite = starting;
    closing.push(async () => (await starting).close());
  }
  return pglite;
}

async function openMemory(): Promise<OpenedStore> {
  const store = new InMemoryTokenStore();
  return { store, another: store, close: async () => {} };
}

async function openPglite(): Promise<OpenedStore> {
  const database = await sharedPglite();
  const table = uniqueTable();
  const store = new PostgresTokenStore(database, { table });
  await store.createTable();
  return {
    store,
    another: new PostgresTokenStore(database, { table }),
    close: async () => void (await database.query(`DROP TABLE ${table}`)),
  };
}

async function openPostgres(): Promise<OpenedStore> {
  const table = uniqueTable();
  const pools = [postgresPool(), postgresPool()] as const;
  const store = new PostgresTokenStore(pools[0], { table });
  await store.createTable();
  return {
    store,
    another: new PostgresTokenStore(pools[1], { table }),
    close: async () => {
      await pools[0].query(`DROP TABLE ${table}`);
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

async function openRedis(): Promise<OpenedStore> {
  const prefix = uniquePrefix();
  const clients = [redisClient(), redisClient()] as const;
  return {
    store: new RedisTokenStore(clients[0], { prefix }),
    another: new RedisTokenStore(clients[1], { prefix }),
    close: async () => {
      const keys = await clients[0].keys(`${prefix}*`);
      if (keys.length > 0) await clients[0].unlink(keys);
      for (const client of clients) client.disconnect();
    },
  };
}

async function whereAnswers(url: string, ask: (url: string) => Promise<void>) {
  return ask(url).then(
    () => url,
    () => undefined,
  );
}

async function pingRedis(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}

/**
 * A server for the tests of this file; undefined if there is no redis-server on the PATH.
 *
 * @param flags as redis-server takes them
 */
export async function startRedis(...flags: string[]): Promise<string | undefined> {
  const port = await freePort();
  const server = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...flags],
    { stdio: 'ignore' },
  );
  let running = true;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['error', 'exit']) {
      server.once(event, () => {
        running = false;
        resolve();
      });
    }
  });
  closing.push(async () => {
    server.kill();
    await ended;
  });
  const url = `redis://127.0.0.1:${port}`;
  for (;;) {
    if ((await whereAnswers(url, pingRedis)) !== undefined) return url;
    if (!running) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
