import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixVerificationService,
  type BerbixTokenStore,
} from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { firstValueFrom, type Observable } from 'rxjs';
import { Gate } from '../fleet/support/gate.js';
import {
  describeEachOn,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  uniquePrefix,
} from '../support/servers.js';
import { startModule, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';

quietNest();

const SERVERS: { name: string; open: () => Promise<{ gate: Gate; store: BerbixTokenStore }> }[] = [
  {
    name: 'PostgreSQL',
    open: async () => {
      const { table } = await makeTable(postgresPool());
      const gate = await Gate.start(POSTGRES_URL as string);
      const pool = postgresPool({ connectionString: gate.through(POSTGRES_URL as string) });
      return { gate, store: new PostgresTokenStore(pool, { table }) };
    },
  },
  {
    name: 'Redis',
    open: async () => {
      const gate = await Gate.start(REDIS_URL as string);
      const client = redisClient(
        { enableOfflineQueue: false, lazyConnect: false, commandTimeout: 1_000 },
        gate.through(REDIS_URL as string),
      );
      await new Promise<void>((ready) => client.once('ready', ready));
      return { gate, store: new RedisTokenStore(client, { prefix: uniquePrefix() }) };
    },
  },
];

/** The codes in the table of the page, or "works", by call: while Berbix is down, and the store. */
const table = new Map(
  [
    ...readFileSync('docs/operations.md', 'utf8').matchAll(
      /^\| `(\w+)\(\)`(.*?) +\| (.*?) +\| (.*?) +\|$/gm,
    ),
  ].map(([, method, detail, berbix, store]) => [`${method}${detail}`, { berbix, store }]),
);

/** "works", or the code of the error. */
async function outcomeOf(emitted: Observable<unknown>): Promise<string> {
  try {
    await firstValueFrom(emitted);
    return 'works';
  } catch (error) {
    return `\`${(error as { code: string }).code}\``;
  }
}

describeEachOn(SERVERS)('the table of docs/operations.md, with $name', ({ open }) => {
  async function start() {
    const sandbox = await startSandbox();
    const { gate, store } = await open();
    const { apiSecret, url: apiHost } = sandbox;
    const options = { apiSecret, apiHost, store, retry: 0, storeTimeoutMs: 500 };
    const module = await startModule(BerbixModule.forRoot(options));
    const verifications = module.get(BerbixVerificationService);
    const tokens = module.get(BerbixTokenService);
    const transactions = module.get(BerbixTransactionService);
    const { sdk: templateKey } = sandbox.templateKeys;
    const begin = (uid: string) => verifications.begin(uid, { templateKey });
    await firstValueFrom(begin('ada'));
    const ada = { customerUid: 'ada' };
    const known = await firstValueFrom(tokens.fresh(ada));
    const calls: Record<string, () => Observable<unknown>> = {
      'begin, for the first time': () => begin('grace'),
      'begin, again': () => begin('ada'),
      result: () => verifications.result('ada'),
      'fresh, or the guard, with usable tokens in memory': () => tokens.fresh(ada),
      'fresh, or the guard, without such tokens': () =>
        tokens.fresh(ada, { refused: known.accessToken }),
      'fetch, with usable tokens in memory': () => transactions.fetch(ada),
      'refresh, with a refresh token': () => tokens.refresh(known.refreshToken),
      erase: () => verifications.erase('ada'),
      remember: () => tokens.remember({ customerUid: 'ada', tokens: known }),
      forget: () => tokens.forget(ada),
    };
    const outcomes = async (): Promise<Record<string, string>> => {
      const found: Record<string, string> = {};
      for (const [name, call] of Object.entries(calls)) found[name] = await outcomeOf(call());
      return found;
    };
    return { sandbox, gate, outcomes };
  }

  const expected = (down: 'berbix' | 'store'): Record<string, string | undefined> =>
    Object.fromEntries([...table].map(([call, codes]) => [call, codes[down]]));

  it('says what fails while Berbix is down', async () => {
    const { sandbox, outcomes } = await start();
    await sandbox.close();
    expect(await outcomes()).toEqual(expected('berbix'));
  });

  it('says what fails while the store is down, and that nothing was sent then', async () => {
    const { sandbox, gate, outcomes } = await start();
    gate.set('refusing');
    const { length: before } = sandbox.requests.to('POST', '/v0/transactions');
    expect(await outcomes()).toEqual(expected('store'));
    expect(sandbox.requests.to('POST', '/v0/transactions')).toHaveLength(before);
  });
});
