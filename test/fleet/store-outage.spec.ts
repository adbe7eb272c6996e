import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BerbixStoreError, type BerbixTokenService, type BerbixTokenStore } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  describeEachOn,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  uniquePrefix,
} from '../support/servers.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { Gate } from './support/gate.js';

/** The time limit of a call, and how much later it may end on a busy machine. */
const TOTAL_MS = 2_000;
const LATE_MS = 1_500;

/** stale-if-error: tokens with the lifetime of the test are served until this long before they expire. */
const STALE_IF_ERROR_MS = 100;

const SERVERS = [
  { name: 'PostgreSQL', openStore: openPostgres },
  { name: 'Redis', openStore: openRedis },
];

interface SetUp {
  sandbox: BerbixSandbox;
  gate: Gate;
  tokens: BerbixTokenService;
  /** Ids of transactions in the store. */
  ids: string[];
}

async function openPostgres(): Promise<{ gate: Gate; store: BerbixTokenStore }> {
  const { table } = await makeTable(postgresPool());
  const gate = await Gate.start(POSTGRES_URL as string);
  const pool = postgresPool({
    connectionString: gate.through(POSTGRES_URL as string),
    connectionTimeoutMillis: 500,
    query_timeout: 1_000,
  });
  return { gate, store: new PostgresTokenStore(pool, { table }) };
}

async function openRedis(): Promise<{ gate: Gate; store: BerbixTokenStore }> {
  const prefix = uniquePrefix();
  const gate = await Gate.start(REDIS_URL as string);
  const options = { enableOfflineQueue: false, lazyConnect: false, commandTimeout: 1_000 };
  const client = redisClient(options, gate.through(REDIS_URL as string));
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return { gate, store: new RedisTokenStore(client, { prefix }) };
}

async function setUp(
  openStore: (typeof SERVERS)[number]['openStore'],
  tokenTtlSeconds: number,
): Promise<SetUp> {
  const sandbox = await startSandbox({ tokenTtlSeconds });
  const { gate, store } = await openStore();
  const services = await servicesFor(sandbox, {
    store,
    timeoutMs: 1_000,
    totalTimeoutMs: TOTAL_MS,
    storeTimeoutMs: 1_000,
    freshness: { leaseMs: TOTAL_MS + 1_000 },
  });
  const ids: string[] = [];
  for (let number = 0; number < 3; number++) {
    const tokens = await createTransaction(sandbox, services);
    await firstValueFrom(services.tokens.remember({ tokens, customerUid: `customer-${number}` }));
    ids.push(tokens.transactionId as string);
  }
  return { sandbox, gate, tokens: services.tokens, ids };
}

/** Asserts that there are no tokens, and that the error comes in time. */
async function expectStoreError(tokens: BerbixTokenService, transactionId: string): Promise<void> {
  const start = performance.now();
  const error = await errorOf(tokens.fresh({ transactionId }));
  expect(performance.now() - start).toBeLessThan(TOTAL_MS + LATE_MS);
  expect(error).toBeInstanceOf(BerbixStoreError);
  expect(error.retryable).toBe(true);
}

/** Calls until the store answers again, or until Jest's own time limit. */
async function afterRecovery(tokens: BerbixTokenService, transactionId: string): Promise<string> {
  for (;;) {
    try {
      return (await firstValueFrom(tokens.fresh({ transactionId }))).accessToken as string;
    } catch {
      await sleep(50);
    }
  }
}

describeEachOn(SERVERS)('a $name', ({ openStore }) => {
  describe.each(['refusing', 'silent'] as const)('that is %s', (state) => {
    it('is not noticed by callers with fresh tokens, and fails the others in time', async () => {
      const { gate, tokens, ids } = await setUp(openStore, 3_600);
      const [known = '', unknown = '', another = ''] = ids;
      const { accessToken } = await firstValueFrom(tokens.fresh({ transactionId: known }));
      gate.set(state);
      const rest = [unknown, another].map((id) => expectStoreError(tokens, id));
      for (let number = 0; number < 100; number++) {
        const got = await firstValueFrom(tokens.fresh({ transactionId: known }));
        expect(got.accessToken).toBe(accessToken);
      }
      await Promise.all(rest);
    });

    it('does not make customers start over after it is back', async () => {
      const { gate, tokens, ids } = await setUp(openStore, 3_600);
      gate.set(state);
      await Promise.all(ids.map((id) => expectStoreError(tokens, id)));
      gate.set('open');
      for (const id of ids) expect(await afterRecovery(tokens, id)).toMatch(/^at_/);
    });

    it('leaves stale tokens in use until they expire', async () => {
      const { sandbox, gate, tokens, ids } = await setUp(openStore, 4);
      const [transactionId = ''] = ids;
      const first = await firstValueFrom(tokens.fresh({ transactionId }, { leewayMs: 3_500 }));
      gate.set(state);
      const ends = (first.expiresAt as Date).getTime();
      let served = 0;
      while (Date.now() < ends - STALE_IF_ERROR_MS) {
        const start = performance.now();
        const got = await firstValueFrom(tokens.fresh({ transactionId })).catch(() => undefined);
        // On a busy machine, the tokens may have expired meanwhile.
        if (Date.now() > ends - STALE_IF_ERROR_MS) break;
        expect(got?.accessToken).toBe(first.accessToken);
        expect(performance.now() - start).toBeLessThan(LATE_MS);
        served += 1;
        await sleep(20);
      }
      expect(served).toBeGreaterThan(0);
      await sleep(Math.max(0, ends - Date.now()));
      await expectStoreError(tokens, transactionId);
      gate.set('open');
      const later = await afterRecovery(tokens, transactionId);
      expect(later).not.toBe(first.accessToken);
      const { status } = await fetch(`${sandbox.url}/v0/transactions`, {
        headers: { authorization: `Bearer ${later}` },
      });
      expect(status).toBe(200);
    });
  });

  it('that is slow only makes calls slower', async () => {
    const { sandbox, gate, tokens, ids } = await setUp(openStore, 3_600);
    const [known = '', unknown = ''] = ids;
    await firstValueFrom(tokens.fresh({ transactionId: known }));
    gate.set('slow');
    const start = performance.now();
    const slow = firstValueFrom(tokens.fresh({ transactionId: unknown }));
    let isDone = false;
    void slow.then(() => (isDone = true));
    await firstValueFrom(tokens.fresh({ transactionId: known }));
    expect(isDone).toBe(false);
    expect((await slow).accessToken).toMatch(/^at_/);
    expect(performance.now() - start).toBeLessThan(TOTAL_MS + LATE_MS);
    expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(0);
  });
});
