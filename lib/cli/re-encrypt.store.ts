import { isMissing } from '../sandbox/server/missing-package.js';
import type { BerbixTokenStore } from '../token-store/index.js';
import { PostgresTokenStore } from '../token-store/postgres/index.js';
import { RedisTokenStore } from '../token-store/redis/index.js';
import { storeFailure } from '../token-store/store-failure.js';
import type { ReEncryptTarget } from './re-encrypt.flags.js';

/** A store, and the end of its connections. */
export interface OpenedStore {
  readonly store: BerbixTokenStore;
  close(): Promise<void>;
}

type Pg = Pick<typeof import('pg'), 'Pool'>;
type Ioredis = Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>;
type RedisServer = InstanceType<Ioredis['Redis']>;
type RedisConnection = RedisServer | InstanceType<Ioredis['Cluster']>;

/** How drivers are loaded; neither is a dependency of this package. */
export interface Drivers {
  pg(): Promise<Pg>;
  ioredis(): Promise<Ioredis>;
}

const DRIVERS: Drivers = {
  pg: async () => (await import('pg')).default,
  ioredis: async () => import('ioredis'),
};

/** For one connection, in milliseconds. */
const CONNECT_MS = 10_000;
/** For one statement or command; a page of keys takes longest. */
const ANSWER_MS = 30_000;
const REDIS_LIMITS = { connectTimeout: CONNECT_MS, commandTimeout: ANSWER_MS };

/**
 * Connects to the store.
 *
 * @throws {Error} that says what to install if the driver is missing
 * @throws {BerbixStoreError} for a store that cannot be reached, or a name that cannot be used
 */
export async function openStore(
  target: ReEncryptTarget,
  drivers: Drivers = DRIVERS,
): Promise<OpenedStore> {
  return target.kind === 'postgres'
    ? openPostgres(target, await loaded('pg', 'PostgreSQL', drivers.pg))
    : openRedis(target, await loaded('ioredis', 'Redis', drivers.ioredis));
}

function openPostgres(
  { url, table }: ReEncryptTarget & { kind: 'postgres' },
  { Pool }: Pg,
): OpenedStore {
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
  });
  // A connection that breaks is told by the statement that needs it.
  pool.on('error', () => {});
  return { store: new PostgresTokenStore(pool, { table }), close: () => pool.end() };
}

async function openRedis(
  { url, prefix }: ReEncryptTarget & { kind: 'redis' },
  { Cluster, Redis }: Ioredis,
): Promise<OpenedStore> {
  const server = new Redis(url, { ...REDIS_LIMITS, lazyConnect: true, retryStrategy: null });
  server.options.password ||= process.env['REDISCLI_AUTH'];
  const opened = (client: RedisConnection): OpenedStore => ({
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
  // It has the keys of its own slots alone.
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

/** What `connect()` rejects with says only that the connection is closed. */
async function connect(client: RedisConnection): Promise<void> {
  let told: unknown;
  client.on('error', (error) => (told = error));
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw storeFailure('Redis', told ?? error);
  }
}

async function isOfCluster(server: RedisServer): Promise<boolean> {
  const info = await server.info('cluster').catch((error: unknown) => storeFailure('Redis', error));
  if (typeof info === 'string') return /^cluster_enabled:1/m.test(info);
  if (info.retryable) throw info;
  throw new Error(
    `Redis does not say whether it is one server of a Cluster (${info.reason}). Let the user have INFO, or call reencryptTokens() with a store on a Redis or Cluster of your own.`,
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
    throw new Error(`re-encrypt needs a package for ${what}. Run: npm install ${name}`, {
      cause: error,
    });
  }
}
