import { isMissing } from '../../sandbox/http/packages.js';
import type { BerbixTokenStore } from '../../token-store/index.js';
import { PostgresTokenStore, type PostgresClient } from '../../token-store/postgres/index.js';
import { DEFAULT_TABLE } from '../../token-store/postgres/table.js';
import { RedisTokenStore } from '../../token-store/redis/index.js';
import { storeFailure } from '../../token-store/store-failure.js';
import type { StoreTarget } from './store-target.js';

/** A store, the client below it, and how to close its connections. */
export type OpenedStore = {
  readonly store: BerbixTokenStore;
  close(): Promise<void>;
} & (
  | { readonly kind: 'postgres'; readonly client: PostgresClient; readonly table: string }
  | { readonly kind: 'redis'; readonly client: RedisConnection }
);

type Pg = Pick<typeof import('pg'), 'Pool'>;
type Ioredis = Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>;
type RedisServer = InstanceType<Ioredis['Redis']>;
export type RedisConnection = RedisServer | InstanceType<Ioredis['Cluster']>;

/** Loads the drivers, which are not dependencies of this package. */
export interface Drivers {
  pg(): Promise<Pg>;
  ioredis(): Promise<Ioredis>;
}

const DRIVERS: Drivers = {
  pg: async () => (await import('pg')).default,
  ioredis: async () => import('ioredis'),
};

/** Time limit of a connection in milliseconds. */
const CONNECT_MS = 10_000;
/** Time limit of a statement or command in milliseconds; a page of keys takes longest. */
export const ANSWER_MS = 30_000;
const REDIS_LIMITS = {
  connectTimeout: CONNECT_MS,
  commandTimeout: ANSWER_MS,
  // How long ioredis keeps the process after disconnect() of a socket that is closed: 2 s by default.
  disconnectTimeout: 100,
};

/**
 * Connects to the store.
 *
 * @throws {Error} that says what to install if the driver is missing
 * @throws {BerbixStoreError} if the store cannot be reached, or for an invalid name
 */
export async function openStore(
  target: StoreTarget,
  drivers: Drivers = DRIVERS,
): Promise<OpenedStore> {
  return target.kind === 'postgres'
    ? openPostgres(target.url, target.table, drivers)
    : openRedis(target, await loaded('ioredis', 'Redis', drivers.ioredis));
}

/** The same for PostgreSQL. */
export async function openPostgres(
  url: string,
  table = DEFAULT_TABLE,
  drivers: Drivers = DRIVERS,
): Promise<OpenedStore & { kind: 'postgres' }> {
  const { Pool } = await loaded('pg', 'PostgreSQL', drivers.pg);
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
  });
  // A statement that needs a broken connection reports it.
  pool.on('error', () => {});
  const store = new PostgresTokenStore(pool, { table });
  return { kind: 'postgres', store, client: pool, table, close: () => pool.end() };
}

async function openRedis(
  { url, prefix }: StoreTarget & { kind: 'redis' },
  { Cluster, Redis }: Ioredis,
): Promise<OpenedStore> {
  const server = new Redis(url, { ...REDIS_LIMITS, lazyConnect: true, retryStrategy: null });
  server.options.password ||= process.env['REDISCLI_AUTH'];
  const opened = (client: RedisConnection): OpenedStore => ({
    kind: 'redis',
    client,
    store: new RedisTokenStore(client, { prefix }),
    close: async () => client.disconnect(),
  });
  await connect(server);
  try {
    if (!(await isOfCluster(server))) return opened(server);
  } catch (error) {
    server.disconnect();
    throw error;
  }
  // One server of a Cluster has only the keys of its own slots.
  server.disconnect();
  const { host = '', port = 6379, username, password, tls } = server.options;
  const cluster = new Cluster([{ host, port }], {
    lazyConnect: true,
    slotsRefreshTimeout: CONNECT_MS,
    clusterRetryStrategy: () => null,
    redisOptions: { ...REDIS_LIMITS, username, password, tls },
  });
  await connect(cluster);
  return opened(cluster);
}

/** Uses the error event, since `connect()` rejects only with "connection is closed". */
async function connect(client: RedisConnection): Promise<void> {
  let reported: unknown;
  client.on('error', (error) => (reported = error));
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw storeFailure('Redis', reported ?? error);
  }
}

async function isOfCluster(server: RedisServer): Promise<boolean> {
  const info = await server.info('cluster').catch((error: unknown) => storeFailure('Redis', error));
  if (typeof info === 'string') return /^cluster_enabled:1/m.test(info);
  if (info.retryable) throw info;
  throw new Error(
    `Redis does not say whether it is one server of a Cluster (${info.reason}). Allow the user to run INFO.`,
  );
}

async function loaded<Driver>(
  name: string,
  what: string,
  load: () => Promise<Driver>,
): Promise<Driver> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new Error(`This command needs a package for ${what}. Run: npm install ${name}`, {
      cause: error,
    });
  }
}
