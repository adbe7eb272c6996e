// One replica of the fleet: an application with several accounts on shared stores, and callers that
// get tokens and use them. Plain JavaScript: it is a process of its own and uses the built package.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import pg from 'pg';
import { BerbixModule, BerbixTokenService, getBerbixToken } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { firstValueFrom } from 'rxjs';

/** If a timer is later than this, the process was paused. */
const STALL_MS = 20;
const WATCH_EVERY_MS = 10;
const REPORT_EVERY_MS = 40;
/** A call that takes longer never ends. */
const LONGEST_CALL_MS = 200_000;

/** @type {import('./fleet.js').WorkerPlan} */
const plan = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true });

/** For how many milliseconds this process was paused in total. */
let stalledMs = 0;
let lastTick;

function watch() {
  const now = performance.now();
  const late = now - (lastTick ?? now) - WATCH_EVERY_MS;
  if (late > STALL_MS) stalledMs += late;
  lastTick = now;
}

/** The total until now, including a pause that the watch has not noticed yet. */
function totalPausedMs() {
  return stalledMs + Math.max(0, performance.now() - lastTick - WATCH_EVERY_MS);
}

/** What is reported next, by account. */
let outcomes = {};
/** When the calls in flight started. */
const pending = new Map();
const leaving = new Set();

function outcomeOf(account) {
  return (outcomes[account] ??= {
    calls: 0,
    used: 0,
    latestMs: -Infinity,
    leastLeftMs: Infinity,
    expired: 0,
    expiredAfterPause: 0,
    refusedWhileValid: 0,
    refusedOnTheWay: 0,
    failures: {},
  });
}

/** Milliseconds until an access token of the sandbox expires; the sandbox uses this machine's clock. */
function leftOf(accessToken) {
  const content = Buffer.from(accessToken.slice(3, -43), 'base64url').toString();
  return Number(content.split('.')[1]) - Date.now();
}

async function call(service, account, transactionId) {
  const id = Symbol(transactionId);
  const [start, pausedBefore] = [performance.now(), totalPausedMs()];
  let accessToken;
  let failure;
  pending.set(id, start);
  try {
    ({ accessToken } = await firstValueFrom(service.fresh({ transactionId })));
  } catch (error) {
    failure = error.code ?? String(error);
  }
  const leftMs = accessToken === undefined ? Infinity : leftOf(accessToken);
  pending.delete(id);
  const pausedMs = totalPausedMs() - pausedBefore;
  const tookMs = performance.now() - start - pausedMs;
  // Only now: calls that started before the last report belong to the next one.
  const outcome = outcomeOf(account.name);
  outcome.calls++;
  outcome.latestMs = Math.max(outcome.latestMs, tookMs - account.totalTimeoutMs);
  if (failure !== undefined) outcome.failures[failure] = (outcome.failures[failure] ?? 0) + 1;
  else if (leftMs > 0) outcome.leastLeftMs = Math.min(outcome.leastLeftMs, leftMs);
  // The pause may have come after the decision to hand the token out.
  else if (pausedMs > STALL_MS) outcome.expiredAfterPause++;
  else outcome.expired++;
  return accessToken;
}

/** Fetches the transaction from the API. Returns the status, or undefined without an answer. */
function use(account, accessToken) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${accessToken}` };
    request(`${account.apiHost}/v0/transactions`, { agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
      response.on('error', () => resolve(undefined));
    })
      .on('error', () => resolve(undefined))
      .end();
  });
}

async function caller(service, account) {
  for (let number = 0; !leaving.has(account.name); number++) {
    const { transactions } = account;
    const transactionId = transactions[Math.floor(Math.random() * transactions.length)];
    const accessToken = await call(service, account, transactionId);
    if (accessToken !== undefined && number % 4 === 0) {
      const status = await use(account, accessToken);
      const outcome = outcomeOf(account.name);
      if (status === 200) outcome.used++;
      else if (status !== undefined && leftOf(accessToken) > 0) outcome.refusedWhileValid++;
      else if (status !== undefined) outcome.refusedOnTheWay++;
    }
    await sleep(plan.pauseMs * (0.5 + Math.random()));
  }
}

let attempts = 0;
/** When attempts ended here, by their names. */
let settled = {};

/** Names the worker and the attempt for the proxy, and reports to the fleet when an attempt ended. */
function nameAttempts(axios) {
  // Without an interceptor, the defaults are not used.
  axios.interceptors.request.use((config) => config);
  const { adapter } = axios.defaults;
  axios.defaults.adapter = async (config) => {
    const attempt = `${plan.id}/${++attempts}`;
    config.headers.set({ 'x-worker': plan.id, 'x-attempt': attempt, 'x-sent-at': Date.now() });
    try {
      return await adapter(config);
    } finally {
      settled[attempt] = Date.now();
    }
  };
}

function openStores({ postgres, redis }) {
  const stores = {};
  if (postgres !== undefined) {
    const { url: connectionString, table } = postgres;
    const limits = { connectionTimeoutMillis: 1_000, query_timeout: 2_000, max: 4 };
    const pool = new pg.Pool({ connectionString, ...limits });
    pool.on('error', () => {});
    stores.postgres = new PostgresTokenStore(pool, { table });
  }
  if (redis !== undefined) {
    const client = new Redis(redis.url, { commandTimeout: 2_000, maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    stores.redis = new RedisTokenStore(client, { prefix: redis.prefix, durable: true });
  }
  return stores;
}

const stores = openStores(plan.stores);

class FleetModule {}
Module({
  imports: plan.accounts.map(({ name, store, apiHost, apiSecret, rotation, ...limits }) =>
    BerbixModule.forRoot({
      account: name,
      apiHost,
      apiSecret,
      store: stores[store],
      encryption: plan.encryption,
      timeoutMs: limits.timeoutMs,
      totalTimeoutMs: limits.totalTimeoutMs,
      freshness: { rotation, leaseMs: limits.leaseMs },
      http: {
        configureAxios: nameAttempts,
      },
    }),
  ),
})(FleetModule);

const application = await NestFactory.createApplicationContext(FleetModule, { logger: false });

/** Promises that resolve when all callers of an account have left, by its name. */
const left = new Map();

function begin(names) {
  watch();
  setInterval(watch, WATCH_EVERY_MS);
  setInterval(report, REPORT_EVERY_MS);
  const accounts = plan.accounts.filter(({ name }) => names.includes(name));
  for (const account of accounts) {
    const service = application.get(getBerbixToken(BerbixTokenService, account.name), {
      strict: false,
    });
    const callers = Array.from({ length: account.callers }, () => caller(service, account));
    left.set(account.name, Promise.all(callers));
  }
}

function report() {
  process.send({ kind: 'outcomes', outcomes, settled });
  outcomes = {};
  settled = {};
}

/** Resolves when all callers of these accounts have ended their last call. */
async function leave(names) {
  for (const name of names) leaving.add(name);
  await Promise.all(names.map((name) => left.get(name)));
}

async function end() {
  const all = leave(plan.accounts.map(({ name }) => name));
  await Promise.race([all, sleep(LONGEST_CALL_MS)]);
  report();
  process.send({ kind: 'end', pending: pending.size }, () => process.exit());
}

process.on('message', async (message) => {
  if (message.begin !== undefined) begin(message.begin);
  if (message.leave !== undefined) {
    await leave(message.leave);
    process.send({ kind: 'left' });
  }
  if (message.end === true) await end();
});
process.on('disconnect', () => process.exit());
process.send({ kind: 'ready' });
