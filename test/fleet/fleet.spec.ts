import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeEachOn } from '../support/servers.js';
import { until } from '../support/until.js';
import type { Overlap, SeenExchange } from './exchange-proxy.js';
import {
  type ApiName,
  FLEET_STORES,
  type FleetRun,
  LIFETIME_MS,
  PASSING,
  SLOWNESS,
  prepareRun,
  servicesOf,
  untilExpired,
  useOnce,
  wreak,
} from './fleet-run.js';
import type { FleetAccount, Outcome } from './fleet.js';

const CALM_MS = 5_000 * SLOWNESS;
const KILLS = 20;
const WORKERS = 4;

/** From here on, tokens are renewed at the earliest. */
const SOFT_MS = 0.75 * LIFETIME_MS;
/** What came this long before a kill may not have been saved. */
const ORPHAN_MS = 1_000 * SLOWNESS;
/** A call ends by a timer, which fires late on a busy machine, held up or not. */
const PATIENCE_MS = 1_000 * SLOWNESS;

let run: FleetRun;
/** Calls that never ended. */
let pending: number;
/** Milliseconds for which there was a fleet. */
let [calmMs, wholeMs] = [0, 0];
/** What each transaction came to afterwards: an access token that the API takes, or an error. */
const afterwards = new Map<string, Map<string, string>>();

beforeAll(async () => {
  run = await prepareRun();
  const { fleet, accounts } = run;
  await fleet.prepare(WORKERS + KILLS);
  for (let number = 0; number < WORKERS; number++) fleet.begin();
  const start = performance.now();

  const endCalm = wreak(run);
  await sleep(CALM_MS);
  // There must be something to judge.
  await until(() => accounts.every(({ name }) => (fleet.outcomes.get(name)?.used ?? 0) > 0));
  endCalm();
  const inCalm = accounts.filter(({ name }) => name.endsWith('-strict'));
  await fleet.leave(names(inCalm));
  calmMs = performance.now() - start;

  const endChaos = wreak(
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

/** Those for the transactions of the account. */
function exchangesOf({ apiHost, transactions }: FleetAccount): SeenExchange[] {
  const { proxy } = Object.values(run.apis).find((api) => api.proxy.url === apiHost)!;
  return proxy.exchanges.filter(({ transactionId }) => transactions.includes(transactionId));
}

/** What each had: answers that were on their way to a worker that was killed before it can have saved them. */
function orphansOf(account: FleetAccount): SeenExchange[] {
  return exchangesOf(account).filter(({ worker, endedAt = Infinity }) => {
    const killedAt = run.fleet.killed.get(worker) ?? Infinity;
    return killedAt - endedAt < ORPHAN_MS;
  });
}

/** As their workers saw it: the proxy may have been held up, and have seen one or the other too late. */
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
    it('loses no session, whatever happens', () => {
      const results = [...afterwards.get(account(api).name)!.values()];
      expect(results).toEqual(account(api).transactions.map(() => '200'));
      expect(exchangesOf(account(api)).filter(({ status }) => status === 401)).toEqual([]);
    });

    it('fails with errors that say "try again" only', () => {
      const codes = Object.keys(outcomeOf(account(api)).failures);
      expect(codes.filter((code) => !PASSING.includes(code))).toEqual([]);
      expect(outcomeOf(account(api)).used).toBeGreaterThan(0);
    });
  });

  it.each(['omit', 'echo', 'grace', 'strict', 'strict-killed'] as const)(
    'hands out good tokens only, in time, in mode %s',
    (api) => {
      const { expired, refusedWhileGood, latestMs } = outcomeOf(account(api));
      expect({ expired, refusedWhileGood }).toEqual({ expired: 0, refusedWhileGood: 0 });
      expect(latestMs).toBeLessThan(PATIENCE_MS);
      expect(pending).toBe(0);
    },
  );

  it.each(['omit', 'echo', 'grace', 'strict', 'strict-killed'] as const)(
    'makes one exchange per expiry and never two at once, in mode %s',
    (api) => {
      const { transactions } = account(api);
      const overlaps = run.apis[api].proxy.overlaps.filter((overlap) => isTrue(overlap));
      expect(overlaps.filter(({ first }) => transactions.includes(first.transactionId))).toEqual(
        [],
      );
      const ms = api === 'strict' ? calmMs : wholeMs;
      // Each fault costs an exchange, and each exchange whose end nobody saw.
      const most = transactions.length * (ms / SOFT_MS + 1) + orphansOf(account(api)).length;
      expect(exchangesOf(account(api)).length).toBeLessThanOrEqual(most + run.apis[api].faults);
    },
  );
});
