import { beforeAll, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { describeEachOn } from '../support/servers.js';
import { until } from '../support/until.js';
import {
  type ApiName,
  FLEET_STORES,
  SLOWNESS,
  type FleetRun,
  prepareRun,
  servicesOf,
  untilExpired,
  useOnce,
} from './support/fleet-run.js';

/** How much later a call may end on a busy machine. */
const PATIENCE_MS = 1_500 * SLOWNESS;

const NAMES = ['omit', 'grace', 'strict-killed'] as const satisfies ApiName[];

/** The result of each account, by its name. */
const results = new Map<string, { lateMs: number; afterwards: string }>();

/** Kills a worker whose answers from the API are held back. */
async function kill({ fleet, apis, accounts }: FleetRun): Promise<void> {
  const proxies = NAMES.map((name) => apis[name].proxy);
  for (const proxy of proxies) proxy.isHolding = true;
  await fleet.prepare(1);
  fleet.begin();
  const done = (id = ''): boolean =>
    proxies.some(({ exchanges }) =>
      exchanges.some(({ transactionId, status }) => transactionId === id && status === 200),
    );
  await until(() => accounts.every(({ transactions: [id] }) => done(id)));
  fleet.kill(fleet.running[0]!);
  for (const proxy of proxies) proxy.isHolding = false;
}

beforeAll(async () => {
  const run = await prepareRun(NAMES, 1);
  await untilExpired();
  await kill(run);
  const services = await servicesOf(run);
  await Promise.all(
    run.accounts.map(async (account) => {
      const [transactionId = ''] = account.transactions;
      const tokens = services.tokens(account);
      const start = performance.now();
      await firstValueFrom(tokens.fresh({ transactionId })).catch(() => {});
      const lateMs = performance.now() - start - account.totalTimeoutMs;
      results.set(account.name, {
        lateMs,
        afterwards: await useOnce(account, tokens, transactionId),
      });
    }),
  );
  await services.close();
}, 300_000);

describeEachOn(FLEET_STORES)(
  'after a SIGKILL between exchange and answer, on $name',
  ({ store }) => {
    it.each(NAMES)('a call ends in time, in mode %s', (api) => {
      expect(results.get(`${store}-${api}`)?.lateMs).toBeLessThan(PATIENCE_MS);
    });

    it.each(['omit', 'grace'])('the session continues, in mode %s', (api) => {
      expect(results.get(`${store}-${api}`)?.afterwards).toBe('200');
    });

    it('the session is lost if the only valid refresh token was in the answer, and the error says so', () => {
      const code = 'BERBIX_INVALID_REFRESH_TOKEN';
      expect(results.get(`${store}-strict-killed`)?.afterwards).toBe(code);
    });
  },
);
