import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  getBerbixToken,
} from 'nestjs-berbix';
import type { BerbixTokenStore } from 'nestjs-berbix';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { BerbixSandbox, type SandboxFault } from 'nestjs-berbix/sandbox';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { closeAfterFile } from '../../support/closing.js';
import {
  isAvailable,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  uniquePrefix,
  uniqueTable,
} from '../../support/servers.js';
import { usualOrLong } from '../../support/long.js';
import { slowness } from '../../support/slowness.js';
import { ExchangeProxy } from './exchange-proxy.js';
import { Fleet, type FleetAccount, type WorkerPlan } from './fleet.js';

/** The times in the tests fit a usual machine; on a slow one, they are multiplied by this. */
export const SLOWNESS = slowness();

/** The lifetime of access tokens. */
export const LIFETIME_MS = 3_000 * SLOWNESS;
export const GRACE_MS = 30_000 * SLOWNESS;

/** Short like the tokens; but the lease outlasts an exchange by more than any pause of a process. */
const SHORT = {
  timeoutMs: 1_000 * SLOWNESS,
  totalTimeoutMs: 2_000 * SLOWNESS,
  leaseMs: 6_000 * SLOWNESS,
};
/** For APIs where a late answer means a lost session. */
const LONG = {
  timeoutMs: 15_000 * SLOWNESS,
  totalTimeoutMs: 15_000 * SLOWNESS,
  leaseMs: 30_000 * SLOWNESS,
};

/** What each API does with refresh tokens, its rate of faults, and the time limits of its callers. */
export const APIS = {
  omit: { refreshToken: 'omit', rotation: 'none', faultRate: 0.15, limits: SHORT },
  echo: { refreshToken: 'echo', rotation: 'none', faultRate: 0.15, limits: SHORT },
  grace: {
    refreshToken: 'rotate',
    rotation: { graceMs: GRACE_MS },
    faultRate: 0.15,
    limits: SHORT,
  },
  /** Every refresh token works once, and nothing goes wrong. */
  strict: { refreshToken: 'rotate', rotation: 'strict', faultRate: 0, limits: LONG },
  /** The same, while workers are killed. */
  'strict-killed': { refreshToken: 'rotate', rotation: 'strict', faultRate: 0, limits: SHORT },
} as const;
export type ApiName = keyof typeof APIS;

const TRANSACTIONS = 12;
const CALLERS = 2;
const PAUSE_MS = usualOrLong(80, 40);

/** An API and the proxy in front of it. */
export interface Api {
  sandbox: BerbixSandbox;
  proxy: ExchangeProxy;
  /** The number of its faults. */
  faults: number;
  hasFaults: boolean;
}

/** A fleet with its stores and APIs. */
export interface FleetRun {
  fleet: Fleet;
  accounts: FleetAccount[];
  apis: Record<ApiName, Api>;
  stores: Record<string, BerbixTokenStore>;
  encryption: WorkerPlan['encryption'];
}

/** The servers that a fleet shares, for `describeEachOn`. */
export const FLEET_STORES = [
  { name: 'PostgreSQL', store: 'postgres' },
  { name: 'Redis', store: 'redis' },
] as const;

/** Creates transactions in all APIs, remembers them in all stores, and prepares the workers. */
export async function prepareRun(
  names = Object.keys(APIS) as readonly ApiName[],
  transactions = TRANSACTIONS,
): Promise<FleetRun> {
  const [table, prefix] = [uniqueTable(), uniquePrefix()];
  const stores = await openStores(table, prefix);
  const encryption = { keys: { k1: randomBytes(32).toString('base64') }, current: 'k1' };
  const apis = {} as Record<ApiName, Api>;
  for (const name of names) apis[name] = await startApi(name);
  const accounts: FleetAccount[] = [];
  for (const { store } of FLEET_STORES.filter(isAvailable)) {
    for (const name of names) {
      const { rotation, limits } = APIS[name];
      const { sandbox, proxy } = apis[name];
      accounts.push({
        name: `${store}-${name}`,
        store,
        apiHost: proxy.url,
        apiSecret: sandbox.apiSecret,
        rotation,
        transactions: [],
        callers: CALLERS,
        ...limits,
      });
    }
  }
  const fleet = new Fleet({
    accounts,
    encryption,
    pauseMs: PAUSE_MS,
    stores: {
      postgres: POSTGRES_URL === undefined ? undefined : { url: POSTGRES_URL, table },
      redis: REDIS_URL === undefined ? undefined : { url: REDIS_URL, prefix },
    },
  });
  const run = { fleet, accounts, apis, stores, encryption };
  await remember(run, transactions);
  return run;
}

/** The services of all accounts in this process, like those of another worker. */
export async function servicesOf(run: FleetRun): Promise<{
  tokens(account: FleetAccount): BerbixTokenService;
  close(): Promise<void>;
}> {
  const module = await Test.createTestingModule({
    imports: run.accounts.map(({ name, store, apiHost, apiSecret, rotation, ...limits }) =>
      BerbixModule.forRoot({
        account: name,
        apiHost,
        apiSecret,
        store: run.stores[store],
        encryption: run.encryption,
        timeoutMs: limits.timeoutMs,
        totalTimeoutMs: limits.totalTimeoutMs,
        freshness: { rotation, leaseMs: limits.leaseMs },
      }),
    ),
  }).compile();
  return {
    tokens: ({ name }) => module.get(getBerbixToken(BerbixTokenService, name), { strict: false }),
    close: () => module.close(),
  };
}

async function startApi(name: ApiName): Promise<Api> {
  const sandbox = await BerbixSandbox.start({
    tokenTtlSeconds: LIFETIME_MS / 1_000,
    refreshToken: APIS[name].refreshToken,
    rotationGraceSeconds: name === 'grace' ? GRACE_MS / 1_000 : 0,
  });
  closeAfterFile(() => sandbox.close());
  const { faultRate } = APIS[name];
  const api = { sandbox, faults: 0, hasFaults: false } as Api;
  api.proxy = await ExchangeProxy.start(sandbox.url, () => {
    if (!api.hasFaults || Math.random() > faultRate) return;
    sandbox.faults.add({ ...any(FAULTS), method: 'POST', path: '/v0/tokens' });
    api.faults++;
  });
  return api;
}

async function remember(run: FleetRun, transactions: number): Promise<void> {
  const services = await servicesOf(run);
  for (const account of run.accounts) {
    const api = run.apis[account.name.slice(account.store.length + 1) as ApiName];
    const creator = await Test.createTestingModule({
      imports: [BerbixModule.forRoot({ apiSecret: account.apiSecret, apiHost: account.apiHost })],
    }).compile();
    const templateKey = api.sandbox.templateKeys.sdk;
    for (let number = 0; number < transactions; number++) {
      const customerUid = `${account.name}-${number}`;
      const created = await firstValueFrom(
        creator.get(BerbixTransactionService).create({ customerUid, templateKey }),
      );
      await firstValueFrom(services.tokens(account).remember({ tokens: created, customerUid }));
      account.transactions.push(created.transactionId as string);
    }
    await creator.close();
  }
  await services.close();
}

async function openStores(table: string, prefix: string): Promise<FleetRun['stores']> {
  const stores: FleetRun['stores'] = {};
  if (POSTGRES_URL !== undefined) {
    stores.postgres = (await makeTable(postgresPool(), table)).store;
  }
  if (REDIS_URL !== undefined) {
    stores.redis = new RedisTokenStore(redisClient(), { prefix, durable: true });
  }
  return stores;
}

/** What may happen to an exchange; worst are the faults after the API has acted on it. */
const FAULTS: SandboxFault[] = [
  { kind: 'reset', processed: true },
  { kind: 'hang', processed: true },
  { kind: 'truncate', processed: true },
  { kind: 'html', processed: true },
  { kind: 'reset' },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429 },
];

export const KILL_EVERY_MS = 300 * SLOWNESS;
const [PAUSE_EVERY_MS, SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [300, 50, 700].map(
  (ms) => ms * SLOWNESS,
) as [number, number, number];

/**
 * Makes things go wrong until the returned function is called. With accounts for the replacements of
 * killed processes, it also kills processes and makes the API fail.
 */
export function injectFaults(run: FleetRun, successors?: FleetAccount[]): () => void {
  const { fleet, apis } = run;
  const timers = [
    setInterval(() => {
      fleet.pause(any(fleet.running), between(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS));
    }, PAUSE_EVERY_MS),
  ];
  if (successors !== undefined) {
    for (const api of Object.values(apis)) api.hasFaults = true;
    timers.push(
      setInterval(() => {
        fleet.kill(any(fleet.running));
        fleet.begin(successors);
      }, KILL_EVERY_MS),
    );
  }
  return () => {
    for (const timer of timers) clearInterval(timer);
    for (const api of Object.values(apis)) api.hasFaults = false;
  };
}

/** Retryable errors that are expected while workers die and the API fails. */
export const TRANSIENT = [
  'BERBIX_CONNECTION',
  'BERBIX_RATE_LIMIT',
  'BERBIX_RESPONSE',
  'BERBIX_SERVER',
  'BERBIX_STORE',
  'BERBIX_TIMEOUT',
  'BERBIX_UNAVAILABLE',
];

/** For how long a transaction may be unavailable: until leases end and failures are waited out. */
const UNAVAILABLE_MS = 60_000 * SLOWNESS;

/**
 * Requests the tokens of a transaction until they come, or never will. Returns `200` if the API
 * accepts one, or the code of an error.
 */
export async function useOnce(
  { apiHost }: FleetAccount,
  tokens: BerbixTokenService,
  transactionId: string,
): Promise<string> {
  const giveUpAt = performance.now() + UNAVAILABLE_MS;
  for (;;) {
    try {
      const { accessToken } = await firstValueFrom(tokens.fresh({ transactionId }));
      const { status } = await fetch(`${apiHost}/v0/transactions`, {
        headers: { authorization: `Bearer ${accessToken}` },
      });
      // A token may expire on its way.
      if (status === 200 || performance.now() > giveUpAt) return `${status}`;
    } catch (error) {
      const { code } = error as { code: string };
      if (!TRANSIENT.includes(code) || performance.now() > giveUpAt) return code;
      await sleep(100);
    }
  }
}

/** Waits until all tokens have expired. */
export async function untilExpired(): Promise<void> {
  await sleep(LIFETIME_MS + 100);
}

function any<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}

function between(min: number, max: number): number {
  return min + Math.random() * (max - min);
}
