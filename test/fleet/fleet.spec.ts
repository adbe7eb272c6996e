import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { usualOrLong } from '../support/long.js';
import { describeEachOn } from '../support/servers.js';
import { until } from '../support/until.js';
import type { Overlap, SeenExchange } from './support/exchange-proxy.js';
import {
  type ApiName,
  FLEET_STORES,
  type FleetRun,
  LIFETIME_MS,
  TRANSIENT,
  SLOWNESS,
  prepareRun,
  servicesOf,
  untilExpired,
  useOnce,
  injectFaults,
} from './support/fleet-run.js';
import type { FleetAccount, Outcome } from './support/fleet.js';

const CALM_MS = 5_000 * SLOWNESS;
const KILLS = usualOrLong(4, 20);
const WORKERS = 4;

/** The earliest age at which tokens are renewed. */
const STALE_MS = 0.75 * LIFETIME_MS;
/** An answer that came this long before a kill may not have been saved. */
const ORPHAN_MS = 1_000 * SLOWNESS;
/** The timer that ends a call fires late on a busy machine. */
const PATIENCE_MS = 1_000 * SLOWNESS;

let run: FleetRun;
/** Calls that never ended. */
let pending: number;
/** For how many milliseconds the fleet ran: without kills, and in total. */
let [calmMs, wholeMs] = [0, 0];
/** The result of each transaction afterwards: `200` from the API, or the code of an error. */
const afterwards = new Map<string, Map<string, string>>();

beforeAll(async () => {
  run = await prepareRun();
  const { fleet, accounts } = run;
  await fleet.prepare(WORKERS + KILLS);
  for (let number = 0; number < WORKERS; number++) fleet.begin();
  const start = performance.now();

  const endCalm = injectFaults(run);
  await sleep(CALM_MS);
  // Every account must have results to judge.
  await until(() => accounts.every(({ name }) => (fleet.outcomes.get(name)?.used ?? 0) > 0));
  endCalm();
  const inCalm = accounts.filter(({ name }) => name.endsWith('-strict'));
  await fleet.leave(names(inCalm));
  calmMs = performance.now() - start;

  const endChaos = injectFaults(
    run,
    accounts.filter((account) => !inCalm.includes(account)),
  );
  await until(() => fleet.killed.size === KILLS);
  endChaos();
  pending = await fleet.end();
  wholeMs = performance.now() - start;

  await untilExpired();
  const services = await servicesOf(run);
  await Promise.all(
    accounts.flatMap((account) => {
      const results = new Map<string, string>();
      afterwards.set(account.name, results);
      return account.transactions.map(async (id) => {
        results.set(id, await useOnce(account, services.tokens(account), id));
      });
    }),
  );
  await services.close();
  if (process.env.FLEET_REPORT !== undefined) report();
}, 600_000);

function names(accounts: FleetAccount[]): string[] {
  return accounts.map(({ name }) => name);
}

function outcomeOf(account: FleetAccount): Outcome {
  return run.fleet.outcomes.get(account.name) as Outcome;
}

/** The exchanges for the transactions of the account. */
function exchangesOf({ apiHost, transactions }: FleetAccount): SeenExchange[] {
  const { proxy } = Object.values(run.apis).find((api) => api.proxy.url === apiHost)!;
  return proxy.exchanges.filter(({ transactionId }) => transactions.includes(transactionId));
}

/** The exchanges whose answer may not have been saved, because the worker was killed. */
function orphansOf(account: FleetAccount): SeenExchange[] {
  return exchangesOf(account).filter(({ worker, endedAt = Infinity }) => {
    const killedAt = run.fleet.killed.get(worker) ?? Infinity;
    return killedAt - endedAt < ORPHAN_MS;
  });
}

/** Whether they also overlap for their workers: the proxy may have been paused, and seen one too late. */
function isTrue({ first, second }: Overlap): boolean {
  return first.sentAt < endOf(second) && second.sentAt < endOf(first);
}

function endOf({ attempt, worker }: SeenExchange): number {
  return run.fleet.settled.get(attempt) ?? run.fleet.killed.get(worker) ?? Infinity;
}

function report(): void {
  console.log(
    `calm ${calmMs.toFixed(0)} ms, whole ${wholeMs.toFixed(0)} ms, ${run.fleet.killed.size} kills, ${run.fleet.pauses} pauses`,
  );
  console.table(
    run.accounts.map((account) => {
      const { failures, ...outcome } = outcomeOf(account);
      const exchanges = exchangesOf(account);
      const lost = [...afterwards.get(account.name)!.values()].filter((what) => what !== '200');
      return {
        name: account.name,
        ...outcome,
        latestMs: Math.round(outcome.latestMs),
        exchanges: exchanges.length,
        ideal: Math.round(
          (account.transactions.length * (account.name.endsWith('-strict') ? calmMs : wholeMs)) /
            (0.775 * LIFETIME_MS),
        ),
        faults: Object.values(run.apis).find((api) => api.proxy.url === account.apiHost)!.faults,
        orphans: orphansOf(account).length,
        refused: exchanges.filter(({ status }) => status === 401).length,
        lost: lost.length,
        failures: JSON.stringify(failures),
      };
    }),
  );
  const overlaps = Object.values(run.apis).flatMap(({ proxy }) => proxy.overlaps);
  console.log('overlaps', overlaps.length, overlaps.filter(isTrue));
}

function accountOf(store: string, api: ApiName): FleetAccount {
  return run.accounts.find(({ name }) => name === `${store}-${api}`) as FleetAccount;
}

describeEachOn(FLEET_STORES)('a fleet on $name', ({ store }) => {
  const account = (api: ApiName): FleetAccount => accountOf(store, api);

  describe.each(['omit', 'echo', 'grace', 'strict'] as const)('with an API of mode %s', (api) => {
    it('loses no session', () => {
      const results = [...afterwards.get(account(api).name)!.values()];
      expect(results).toEqual(account(api).transactions.map(() => '200'));
      expect(exchangesOf(account(api)).filter(({ status }) => status === 401)).toEqual([]);
    });

    it('fails only with retryable errors', () => {
      const codes = Object.keys(outcomeOf(account(api)).failures);
      expect(codes.filter((code) => !TRANSIENT.includes(code))).toEqual([]);
      expect(outcomeOf(account(api)).used).toBeGreaterThan(0);
    });
  });

  it.each(['omit', 'echo', 'grace', 'strict', 'strict-killed'] as const)(
    'hands out only valid tokens, in time, in mode %s',
    (api) => {
      const { expired, refusedWhileValid, latestMs } = outcomeOf(account(api));
      expect({ expired, refusedWhileValid }).toEqual({ expired: 0, refusedWhileValid: 0 });
      expect(latestMs).toBeLessThan(PATIENCE_MS);
      expect(pending).toBe(0);
    },
  );

  it.each(['omit', 'echo', 'grace', 'strict', 'strict-killed'] as const)(
    'makes one exchange per expiry, and never two concurrently, in mode %s',
    (api) => {
      const { transactions } = account(api);
      const overlaps = run.apis[api].proxy.overlaps.filter((overlap) => isTrue(overlap));
      expect(overlaps.filter(({ first }) => transactions.includes(first.transactionId))).toEqual(
        [],
      );
      const ms = api === 'strict' ? calmMs : wholeMs;
      // One at the start, then one per expiry, and one more after the end of the fleet.
      const expiries = transactions.length * (1 + ms / STALE_MS + 1);
      // Each fault and each orphan costs another exchange.
      const maximum = expiries + orphansOf(account(api)).length + run.apis[api].faults;
      expect(exchangesOf(account(api)).length).toBeLessThanOrEqual(maximum);
    },
  );
});
