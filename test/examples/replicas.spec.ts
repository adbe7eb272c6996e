import { describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { Database } from '../../examples/backend/database/database.js';
import { migrate } from '../../examples/backend/database/migrations.js';
import {
  POSTGRES_URL,
  REDIS_URL,
  postgresPool,
  redisClient,
  uniquePrefix,
  uniqueTable,
} from '../support/servers.js';
import { closeAfterTest, startSandbox } from '../support/services.js';
import { accountOf, type Backend, backendAt, exchanged, finish } from './backend.support.js';
import { start, temporaryDirectory } from './start.support.js';

jest.setTimeout(180_000);

/** A schema for one test, as the URL of a database. */
async function postgresForTest(): Promise<Record<string, string>> {
  const schema = uniqueTable();
  const pool = postgresPool();
  closeAfterTest(() => pool.end());
  await pool.query(`CREATE SCHEMA ${schema}`);
  closeAfterTest(() => pool.query(`DROP SCHEMA ${schema} CASCADE`));
  const url = new URL(POSTGRES_URL ?? '');
  url.searchParams.set('options', `-c search_path=${schema}`);
  return { DATABASE_URL: url.href };
}

/** A prefix of keys for one test, as the URL of a server. */
async function redisForTest(): Promise<Record<string, string>> {
  const keyPrefix = uniquePrefix();
  closeAfterTest(async () => {
    const client = redisClient();
    const keys = await client.keys(`${keyPrefix}*`);
    if (keys.length > 0) await client.unlink(keys);
    client.disconnect();
  });
  const url = new URL(REDIS_URL ?? '');
  url.searchParams.set('keyPrefix', keyPrefix);
  return { REDIS_URL: url.href };
}

/** `npm start` in a process of its own. */
async function run(
  directory: string,
  environment: Record<string, string>,
): Promise<{ stdout: string; backend: Backend; stop(): Promise<void> }> {
  const process = start(directory, [], environment);
  const stdout = await process.shows('delete it to begin anew');
  return {
    stdout,
    backend: backendAt(/Backend +(http\S+)/.exec(stdout)?.[1] ?? ''),
    stop: async () => {
      process.kill('SIGTERM');
      expect(await process.ended).toMatchObject({ code: 0, stderr: '' });
    },
  };
}

function pointWebhooks(sandbox: BerbixSandbox, { url }: Backend): void {
  sandbox.webhooks.setUrl('finished', `${url}/webhooks/berbix/finished`);
  sandbox.webhooks.setUrl('status', `${url}/webhooks/berbix/status`);
}

const describeWithPostgres = POSTGRES_URL === undefined ? describe.skip : describe;

describeWithPostgres('The tables of the example backend', () => {
  it('are made once by instances that start at the same moment', async () => {
    const { DATABASE_URL: connectionString } = await postgresForTest();
    const pool = postgresPool({ connectionString, max: 10 });
    closeAfterTest(() => pool.end());
    const query: Database['query'] = async (sql, values) => ({
      rows: (await pool.query(sql, values)).rows,
    });
    await Promise.all(Array.from({ length: 10 }, () => pool.query('SELECT pg_sleep(0.05)')));
    await Promise.all(Array.from({ length: 10 }, () => migrate({ query, location: '' })));
    const { rows } = await pool.query('SELECT * FROM customer_verifications, berbix_tokens');
    expect(rows).toEqual([]);
  });
});

const servers = [
  { name: 'PostgreSQL', at: POSTGRES_URL, prepare: postgresForTest, shown: /PostgreSQL at \S+\n/ },
  { name: 'Redis', at: REDIS_URL, prepare: redisForTest, shown: /in Redis at \S+, encrypted\n/ },
].filter(({ at }) => at !== undefined);

describe.each(servers)('Two backends on one $name', ({ name, prepare, shown }) => {
  it('share their tokens: one exchange for both', async () => {
    const sandbox = await startSandbox();
    const directory = await temporaryDirectory();
    // The key of the demo is shared too: both find it in the same directory.
    const { BERBIX_ENCRYPTION_KEYS: _, ...account } = accountOf(sandbox);
    const environment = { ...account, ...(await prepare()) };
    const runs = await Promise.all([run(directory, environment), run(directory, environment)]);
    const [one, other] = runs.map(({ backend }) => backend) as [Backend, Backend];
    for (const { stdout } of runs) {
      expect(stdout).toMatch(shown);
      expect(stdout).not.toContain('search_path');
    }

    const begun = await one.begin('grace');
    const shownByDemo = exchanged(sandbox).length;
    sandbox.clock.advance(3_600_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_each, index) => (index % 2 ? one : other).result('grace')),
    );
    const { transactionId } = begun.body;
    const result = { transactionId, action: null, name: null };
    expect(answers.map(({ body }) => body)).toEqual(answers.map(() => result));
    expect(exchanged(sandbox).slice(shownByDemo)).toHaveLength(1);
    expect((await other.begin('grace')).body).toEqual({ ...begun.body, isResumed: true });
    expect(exchanged(sandbox).slice(shownByDemo)).toHaveLength(1);

    // Webhooks are signed with the time: the two sides have to agree on it.
    sandbox.clock.reset();
    pointWebhooks(sandbox, other);
    await finish(sandbox, begun);
    expect((await one.result('grace')).body['action']).toBe('accept');
    if (name === 'PostgreSQL') {
      expect((await one.status('grace')).body['status']).toBe('accepted');
    }
    for (const { stop } of runs) await stop();
  });
});
