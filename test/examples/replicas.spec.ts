import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { Database } from '../../examples/backend/database/database.js';
import { migrate } from '../../examples/backend/database/migrations.js';
import { closeAfterTest } from '../support/closing.js';
import { temporaryDirectory } from '../support/directories.js';
import {
  POSTGRES_URL,
  REDIS_URL,
  describeEachOn,
  describeOnPostgres,
  postgresPool,
  uniquePrefix,
  uniqueTable,
} from '../support/servers.js';
import { parseSandboxFlags } from '../../lib/cli/sandbox.flags.js';
import { startSandbox } from '../support/services.js';
import { accountOf, type Backend, backendAt, exchanged, finish } from './support/backend.js';
import {
  type Run,
  start,
  startHere,
  startOnce,
  preparedDirectory,
  storeInMemory,
} from './support/start.js';

/** The URL of a database with a schema for one test. */
async function postgresForTest(): Promise<Record<string, string>> {
  const schema = uniqueTable();
  const pool = postgresPool();
  await pool.query(`CREATE SCHEMA ${schema}`);
  closeAfterTest(() => pool.query(`DROP SCHEMA ${schema} CASCADE`));
  const url = new URL(POSTGRES_URL ?? '');
  url.searchParams.set('options', `-c search_path=${schema}`);
  return { DATABASE_URL: url.href };
}

/** The URL of a server with a key prefix for one test. */
async function redisForTest(): Promise<Record<string, string>> {
  const keyPrefix = uniquePrefix();
  const url = new URL(REDIS_URL ?? '');
  url.searchParams.set('keyPrefix', keyPrefix);
  return { REDIS_URL: url.href };
}

interface Instance {
  stdout: string;
  backend: Backend;
  stop(): Promise<void>;
}

/** A run of `npm start`, when its backend is ready. */
async function instance(run: Run): Promise<Instance> {
  const stdout = await run.shows('to start over');
  return {
    stdout,
    backend: backendAt(/Backend +(http\S+)/.exec(stdout)?.[1] ?? ''),
    stop: async () => {
      run.kill('SIGTERM');
      expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    },
  };
}

function pointWebhooks(sandbox: BerbixSandbox, { url }: Backend): void {
  sandbox.webhooks.setUrl('finished', `${url}/webhooks/berbix/finished`);
  sandbox.webhooks.setUrl('status', `${url}/webhooks/berbix/status`);
}

describeOnPostgres('The tables of the example backend', () => {
  it('are created once by instances that start at the same time', async () => {
    const { DATABASE_URL: connectionString } = await postgresForTest();
    const pool = postgresPool({ connectionString, max: 10 });
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
  it('work as examples/README.md describes', async () => {
    const page = readFileSync('examples/README.md', 'utf8');
    const [, flags = ''] = /npm run sandbox -- (.*)\n/.exec(page) ?? [];
    const parsed = parseSandboxFlags(flags.split(' '));
    if (!('options' in parsed)) throw new Error('The recipe has no valid flags.');
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
    const directory = temporaryDirectory();
    const [one, other] = [
      await instance(startHere(directory, [], environment)),
      await instance(startHere(directory, [], environment)),
    ];
    const answers = [await one.backend.begin('grace'), await other.backend.begin('grace')];
    const { transactionId } = answers[0]?.body ?? {};
    expect(answers[1]?.body).toMatchObject({ transactionId, isResumed: true });
    for (const { stop } of [one, other]) await stop();
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
  it('say where the data is, and what to do if its key is gone', async () => {
    await storeInMemory();
    const environment = await prepare();
    const directory = temporaryDirectory();
    const { stdout, stop } = await instance(startHere(directory, [], environment));
    const key = '.data/backend/demo-encryption-key';
    expect(stdout).toMatch(
      new RegExp(`stays in ${data};\n +its key is in ${key}: delete both together to start over`),
    );
    await stop();
    const another = await startOnce(temporaryDirectory(), environment);
    expect(another.code).toBe(1);
    expect(another.stderr).toMatch(
      new RegExp(
        `^Tokens of an earlier run are encrypted with the key "demo-\\w+", which is missing\\. Add it to BERBIX_ENCRYPTION_KEYS, or start over without these tokens: delete ${data}\\.\n$`,
      ),
    );
    const BERBIX_ENCRYPTION_KEYS = await readFile(join(directory, key), 'utf8');
    const given = { ...environment, BERBIX_ENCRYPTION_KEYS };
    const again = await startOnce(temporaryDirectory(), given);
    expect(again).toMatchObject({ code: 0, stderr: '' });
  });

  it('share their tokens: one exchange for both', async () => {
    await storeInMemory();
    const sandbox = await startSandbox();
    // Beside Redis, each has a database of its own.
    const directory = await preparedDirectory(...(name === 'Redis' ? ['database'] : []));
    // They also share the key of the demo, which both find in the same directory.
    const { BERBIX_ENCRYPTION_KEYS: _, ...account } = accountOf(sandbox);
    const environment = { ...account, ...(await prepare()) };
    // In this process and in another.
    const runs = await Promise.all([
      instance(startHere(directory, [], environment)),
      instance(start(directory, [], environment)),
    ]);
    const [{ backend: one }, { backend: other }] = runs;
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

    // Webhooks are signed with the time, so the clocks have to agree.
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
