import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { Database } from '../../examples/backend/database/database.js';
import { migrate } from '../../examples/backend/database/migrations.js';
import {
  POSTGRES_URL,
  REDIS_URL,
  describeEachOn,
  describeOnPostgres,
  postgresPool,
  redisClient,
  uniquePrefix,
  uniqueTable,
} from '../support/servers.js';
import { parseSandboxFlags } from '../../lib/cli/sandbox.flags.js';
import { closeAfterTest, startSandbox } from '../support/services.js';
import { accountOf, type Backend, backendAt, exchanged, finish } from './backend.support.js';
import { start, temporaryDirectory } from './start.support.js';

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
  const stdout = await process.shows('to start over');
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

describeOnPostgres('The tables of the example backend', () => {
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

describeOnPostgres('Two instances', () => {
  it('go by the recipe of examples/README.md', async () => {
    const page = readFileSync('examples/README.md', 'utf8');
    const [, flags = ''] = /npm run sandbox -- (.*)\n/.exec(page) ?? [];
    const parsed = parseSandboxFlags(flags.split(' '));
    if (!('options' in parsed)) throw new Error('The recipe has no good flags.');
    const sandbox = await startSandbox({ ...parsed.options, port: 0 });
    const assignments = [...page.matchAll(/\b([A-Z_]+)=(\S+)(?=.*\n)/g)].filter(
      ([, name]) => !/^(PORT|BERBIX_WEBHOOK)/.test(name as string),
    );
    const environment = {
      ...Object.fromEntries(assignments.map(([, name, value]) => [name, value])),
      BERBIX_API_HOST: sandbox.url,
      ...(await postgresForTest()),
    };
    expect(Object.keys(environment).toSorted()).toEqual([
      'BERBIX_API_HOST',
      'BERBIX_API_SECRET',
      'BERBIX_TEMPLATE_KEY',
      'BERBIX_TEMPLATE_KIND',
      'DATABASE_URL',
    ]);
    const directory = await temporaryDirectory();
    const runs = [await run(directory, environment), await run(directory, environment)];
    const answers = [await runs[0]?.backend.begin('grace'), await runs[1]?.backend.begin('grace')];
    const { transactionId } = answers[0]?.body ?? {};
    expect(answers[1]?.body).toMatchObject({ transactionId, isResumed: true });
    for (const { stop } of runs) await stop();
  });
});

const servers = [
  {
    name: 'PostgreSQL',
    prepare: postgresForTest,
    shown: /PostgreSQL at \S+\n/,
    data: 'the tables customer_verifications and berbix_tokens at \\S+',
  },
  {
    name: 'Redis',
    prepare: redisForTest,
    shown: /in Redis at \S+, encrypted\n/,
    data: '\\.data/backend and the keys \\S+berbix:\\* in Redis at \\S+',
  },
];

describeEachOn(servers)('Two backends on one $name', ({ name, prepare, shown, data }) => {
  it('say where the data is, and what to do where its key is gone', async () => {
    const environment = await prepare();
    const directory = await temporaryDirectory();
    const { stdout, stop } = await run(directory, environment);
    const key = '.data/backend/demo-encryption-key';
    expect(stdout).toMatch(
      new RegExp(`stays in ${data};\n +its key is in ${key}: delete both together to start over`),
    );
    await stop();
    const another = await start(await temporaryDirectory(), ['--once'], environment).ended;
    expect(another.code).toBe(1);
    expect(another.stderr).toMatch(
      new RegExp(
        `^Tokens of an earlier run are sealed with the key "demo-\\w+", which is missing\\. Give it in BERBIX_ENCRYPTION_KEYS, or start over without them: delete ${data}\\.\n$`,
      ),
    );
    const BERBIX_ENCRYPTION_KEYS = await readFile(join(directory, key), 'utf8');
    const given = { ...environment, BERBIX_ENCRYPTION_KEYS };
    const again = await start(await temporaryDirectory(), ['--once'], given).ended;
    expect(again).toMatchObject({ code: 0, stderr: '' });
  });

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
