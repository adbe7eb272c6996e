import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { describe } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { PostgresTokenStore, type PostgresClient } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { type BerbixTokenStore, InMemoryTokenStore } from '../../lib/token-store/index.js';
import { closeAfterFile, closeAfterTest } from './closing.js';
import { newPglite } from './pglite.js';
import { describeWith } from './requirements.js';

/** The URLs of the servers; undefined if a server does not answer. */
export const POSTGRES_URL = await whereAnswers(
  process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  async (url) => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    // connect() reports a broken connection.
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

/** `describe` for tests of a server; if it does not answer, they are skipped, and the run reports that. */
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

/** Whether this server answers, or the one that this store needs. */
export function isAvailable({ name }: { name: string }): boolean {
  return describeOn(name) === describe;
}

function describeOn(name: string): typeof describe {
  if (name === 'PostgreSQL') return describeOnPostgres;
  return name === 'Redis' ? describeOnRedis : describe;
}

/** An empty store; its data and connections are gone after the test. */
export interface OpenedStore {
  readonly store: BerbixTokenStore;
  /** The same data over connections of its own, as for another replica. */
  readonly another: BerbixTokenStore;
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

/** A table that nobody else uses, with its store; it is dropped after the test. */
export async function makeTable(
  client: PostgresClient,
  table = uniqueTable(),
): Promise<{ store: PostgresTokenStore; table: string }> {
  const store = new PostgresTokenStore(client, { table });
  await store.createTable();
  closeAfterTest(() => client.query(`DROP TABLE IF EXISTS ${table}`));
  return { store, table };
}

/** A prefix for keys of Redis that nobody else uses; the server's keys are removed after the test. */
export function uniquePrefix(): string {
  const prefix = `test:${randomUUID()}:`;
  if (REDIS_URL !== undefined) {
    closeAfterTest(async () => {
      const client = connectRedis();
      const keys = await client.keys(`*${prefix}*`);
      if (keys.length > 0) await client.unlink(keys);
      client.disconnect();
    });
  }
  return prefix;
}

/** A pool on the server; it ends after the test. */
export function postgresPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: POSTGRES_URL, ...config });
  pool.on('error', () => {});
  closeAfterTest(() => pool.end());
  return pool;
}

/** A client of the server that connects when it is first used, and disconnects after the test. */
export function redisClient(options?: RedisOptions, url?: string): Redis {
  const client = connectRedis(options, url);
  closeAfterTest(() => client.disconnect());
  return client;
}

function connectRedis(options: RedisOptions = {}, url: string = REDIS_URL ?? ''): Redis {
  return new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    // How long ioredis keeps the process after disconnect() of a socket that never opened.
    disconnectTimeout: 100,
    ...options,
  }).on('error', () => {});
}

/** A PostgreSQL server if there is one, and PGlite otherwise. */
export async function anyPostgres(): Promise<PostgresClient> {
  return POSTGRES_URL === undefined ? sharedPglite() : postgresPool();
}

let pglite: Promise<PGlite> | undefined;

/**
 * A PostgreSQL in this process, one for all tests of a file. It must not outlive the file: a timer that
 * PGlite sets during the virtual time of another file is never due, and is set again each millisecond.
 */
export function sharedPglite(): Promise<PGlite> {
  if (pglite === undefined) {
    const starting = newPglite();
    pglite = starting;
    closeAfterFile(async () => (await starting).close());
  }
  return pglite;
}

async function openMemory(): Promise<OpenedStore> {
  const store = new InMemoryTokenStore();
  return { store, another: store };
}

async function openPglite(): Promise<OpenedStore> {
  const database = await sharedPglite();
  const { store, table } = await makeTable(database);
  return { store, another: new PostgresTokenStore(database, { table }) };
}

async function openPostgres(): Promise<OpenedStore> {
  const { store, table } = await makeTable(postgresPool());
  return { store, another: new PostgresTokenStore(postgresPool(), { table }) };
}

async function openRedis(): Promise<OpenedStore> {
  const prefix = uniquePrefix();
  return {
    store: new RedisTokenStore(redisClient(), { prefix }),
    another: new RedisTokenStore(redisClient(), { prefix }),
  };
}

async function whereAnswers(url: string, ask: (url: string) => Promise<void>) {
  return ask(url).then(
    () => url,
    () => undefined,
  );
}

async function pingRedis(url: string): Promise<void> {
  const client = connectRedis({ retryStrategy: null, connectTimeout: 5_000 }, url);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}

/**
 * A server for one test, or for the file that starts it before its tests; undefined if there is no redis-server on the PATH.
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
  closeAfterTest(async () => {
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

/** A server for one test that accepts connections and never answers. Resolves to its port. */
export async function silentServer(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfterTest(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
