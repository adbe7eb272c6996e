import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { templateKeysOf } from '../../lib/sandbox/transactions/template-keys.js';
import { closeAfterTest, startSandbox } from '../support/services.js';
import { accountOf, exchanged } from './backend.support.js';
import {
  createDirectory,
  type Ended,
  removeDirectory,
  start,
  temporaryDirectory,
} from './start.support.js';

const STEPS = [
  'Ada begins her verification: POST /verification',
  'PostgreSQL  keeps its refresh token, sealed: b1.',
  'PostgreSQL  loaded the refresh token rt_',
  'exchanged it for fresh tokens',
  'Ada asks where she stands: GET /verification',
];
const READY = 'delete it to start over';

function expectDone({ code, stdout, stderr }: Ended): void {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(STEPS.filter((step) => !stdout.includes(step))).toEqual([]);
  expectNoSecret(stdout);
}

/** The secret of the sandbox, which is shown to try its API with. */
const TO_TRY = /(?<=press Authorize; the user name is\n +)secret_test_\w+/;

/** Four characters of a token at most. */
function expectNoSecret(output: string): void {
  expect(output.replace(TO_TRY, '')).not.toMatch(/\b(?:rt|at)_\w\w|eyJ\w\w|secret_|whs_/);
}

function expectRefused({ code, stderr }: Ended, sentence: RegExp): void {
  expect(code).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
}

interface Stored {
  customers: unknown[];
  /** Everything in the table of the tokens. */
  tokens: string;
}

/** What is stored in a data directory that is not in use. */
async function storedIn(directory: string): Promise<Stored> {
  const pglite = await PGlite.create(join(directory, 'postgres'));
  try {
    const sql = 'SELECT customer_uid, transaction_id, status FROM customer_verifications';
    const tokens = await pglite.query('SELECT * FROM berbix_tokens');
    return { customers: (await pglite.query(sql)).rows, tokens: JSON.stringify(tokens.rows) };
  } finally {
    await pglite.close();
  }
}

/** A new database, made once: that takes seconds. */
let newDatabase: string;

beforeAll(async () => {
  newDatabase = await createDirectory();
  await (await PGlite.create(newDatabase)).close();
});

afterAll(() => removeDirectory(newDatabase));

/** A directory where the command finds an empty database in its place. */
async function preparedDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  const database = join(directory, '.data', 'backend', 'database', 'postgres');
  await cp(newDatabase, database, { recursive: true });
  return directory;
}

const transactionIn = (stdout: string): string | undefined =>
  /Berbix +(?:created|goes on with) transaction (\d+)/.exec(stdout)?.[1];

const keyIn = (stdout: string): string | undefined => /b1\.(demo-\w+)\./.exec(stdout)?.[1];

describe('npm start', () => {
  it('shows the main job, ends with --once, and finds its data again', async () => {
    const directory = await temporaryDirectory();
    const data = join(directory, '.data', 'backend');
    const first = await start(directory, ['--once']).ended;
    expectDone(first);
    expect(first.stdout).toContain('its data in .data/backend/database\n');
    expect(first.stdout).toContain('status, signed: checked and handled (204)');
    expect(first.stdout).toContain('Answer      accepted since');
    expect(first.stdout).toContain(': accept, JOHN DOE');
    expect(first.stdout).not.toContain(READY);
    const transaction = transactionIn(first.stdout);
    const after = await storedIn(join(data, 'database'));
    const ada = { customer_uid: 'ada', status: 'accepted' };
    expect(after.customers).toEqual([{ ...ada, transaction_id: transaction }]);
    expect(after.tokens).toContain(`default/transaction/${transaction}`);
    expect(after.tokens).not.toMatch(/rt_|at_|eyJ/);

    const second = await start(directory, ['--once']).ended;
    expectDone(second);
    expect(second.stdout).toContain('has one of an earlier run: accepted since');
    expect(keyIn(second.stdout)).toBe(keyIn(first.stdout));
    const successor = transactionIn(second.stdout);
    expect(successor).not.toBe(transaction);
    expect((await storedIn(join(data, 'database'))).customers).toEqual([
      { ...ada, transaction_id: successor },
    ]);
  });

  it('makes a key for the demo and says so, and uses keys that it is given', async () => {
    const directory = await preparedDirectory();
    const file = join(directory, '.data', 'backend', 'demo-encryption-key');
    const first = await start(directory, ['--once']).ended;
    expectDone(first);
    expect(first.stdout).toContain(
      'with a key for the demo only: .data/backend/demo-encryption-key, beside the data',
    );
    const made = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const [id, key = ''] = made.split(':');
    expect(first.stdout).toContain(`b1.${id}.`);
    expect(first.stdout).not.toContain(key);

    const BERBIX_ENCRYPTION_KEYS = `mine:${randomBytes(32).toString('base64')}`;
    const elsewhere = await preparedDirectory();
    const given = await start(elsewhere, ['--once'], { BERBIX_ENCRYPTION_KEYS }).ended;
    expectDone(given);
    expect(given.stdout).toContain('b1.mine.');
    expect(given.stdout).not.toContain('for the demo only');
    // What was sealed with the one key does not open with the other.
    const other = await start(directory, ['--once'], { BERBIX_ENCRYPTION_KEYS }).ended;
    expectRefused(
      other,
      /sealed with the key "demo-\w+".* start over .*: delete \.data\/backend\./,
    );
  });

  it('uses the account of the environment, resumes in it, and prints none of its secrets', async () => {
    const sandbox = await startSandbox();
    const directory = await temporaryDirectory();
    const run = (kind: 'sdk' | 'hosted'): Promise<Ended> =>
      start(directory, ['--once'], { ...accountOf(sandbox, kind), DATA_DIR: 'mine' }).ended;
    const other = await run('sdk');
    expect(other.stdout).toContain('Answer      client token eyJ');
    expect(other.stdout).toContain('its data in mine/database\n');
    const [first, second] = [await run('hosted'), await run('hosted')];
    expect(second.stdout).toContain(`goes on with transaction ${transactionIn(first.stdout)}`);
    // Ada finishes it, and no webhook tells.
    const hostedUrl = /her page, (http\S+)/.exec(second.stdout)?.[1] ?? '';
    await fetch(hostedUrl, { method: 'POST', body: new URLSearchParams({ choice: 'accept' }) });
    const third = await run('hosted');
    expect(transactionIn(third.stdout)).not.toBe(transactionIn(first.stdout));
    const secrets = [...exchanged(sandbox), ...Object.values(sandbox.webhookSecrets)];
    for (const ended of [other, first, second, third]) {
      expectDone(ended);
      expect(ended.stdout).toContain(`${sandbox.url} (the account of your API secret)`);
      for (const secret of secrets) expect(ended.stdout).not.toContain(secret);
    }
    expect(exchanged(sandbox)).toHaveLength(4);
    expect(sandbox.requests.to('POST', '/v0/transactions')).toHaveLength(3);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stays up until %s, then exits 0', async (signal) => {
    const directory = await preparedDirectory();
    const run = start(directory, []);
    await run.shows(READY);
    run.kill(signal);
    const ended = await run.ended;
    expectDone(ended);
    expect(ended.stdout).toContain('in_progress since');
    const { customers } = await storedIn(join(directory, '.data', 'backend', 'database'));
    expect(customers).toHaveLength(1);
  });

  it('shows at once that it starts, and prints no URL and no secret that does not work', async () => {
    const run = start(await preparedDirectory(), []);
    const stdout = await run.shows(READY);
    expect(stdout).toMatch(/^Starting Berbix, the database and the backend \.\.\.\n/);
    const backend = await fetch(/Backend +(http\S+)/.exec(stdout)?.[1] ?? '');
    expect(backend.status).toBe(200);
    expect(await backend.text()).toMatch(/GET +\/verification .*x-demo-customer/s);

    const [, host = ''] = /Try the API +open (http\S+)\/reference/.exec(stdout) ?? [];
    expect((await fetch(`${host}/reference`)).status).toBe(200);
    const [secret = ''] = TO_TRY.exec(stdout) ?? [];
    const created = await fetch(`${host}/v0/transactions`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${secret}:`)}` },
      body: JSON.stringify({ customer_uid: 'grace', template_key: templateKeysOf(secret).sdk }),
    });
    expect(created.status).toBe(200);
    run.kill('SIGTERM');
    await run.ended;
  });

  it('shows how to be Ada: the page leads to a result, and the commands work', async () => {
    const run = start(await preparedDirectory(), []);
    const stdout = await run.shows(READY);
    const page = /open (http\S+) and choose/.exec(stdout)?.[1] ?? '';
    const form = new URLSearchParams({ choice: 'review' });
    expect((await fetch(page, { method: 'POST', body: form })).status).toBe(200);
    const log = await run.shows('There is news of transaction');
    expect(log).toContain(`The customer has finished transaction ${transactionIn(stdout)}`);
    expect(log).toContain(`There is news of transaction ${transactionIn(stdout)}`);

    const commands = [
      ...stdout.matchAll(/curl (?:-X (\w+) )?(-H "x-demo-customer: ada" )?(http\S+)/g),
    ];
    const answers: unknown[] = [];
    for (const [, method = 'GET', customer, url = ''] of commands) {
      const headers: Record<string, string> = customer ? { 'x-demo-customer': 'ada' } : {};
      const response = await fetch(url, { method, headers });
      const text = await response.text();
      answers.push([response.status, text === '' ? text : JSON.parse(text)]);
    }
    expect(answers).toEqual([
      [200, { status: 'review', since: expect.any(String) }],
      [200, expect.objectContaining({ action: 'review', name: 'JOHN DOE' })],
      [409, expect.anything()],
      [200, expect.objectContaining({ isResumed: false })],
      [204, ''],
      [200, { requests: expect.any(Array) }],
    ]);
    run.kill('SIGTERM');
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expectNoSecret(ended.stdout);
  });

  it('keeps away from the data of a run that stays up', async () => {
    const directory = await preparedDirectory();
    const staying = start(directory, []);
    await staying.shows(READY);
    const other = await start(directory, ['--once']).ended;
    expectDone(other);
    expect(other.stdout).toContain('its data in .data/backend/database-2\n');
    expect(other.stdout).toContain('(another run uses .data/backend/database)');
    staying.kill('SIGTERM');
    expectDone(await staying.ended);
    for (const data of ['database', 'database-2']) {
      const { customers } = await storedIn(join(directory, '.data', 'backend', data));
      expect(customers).toHaveLength(1);
    }
  });

  it('can be started twice at the same moment', async () => {
    const directory = await temporaryDirectory();
    const runs = [start(directory, ['--once']), start(directory, ['--once'])];
    const keys: (string | undefined)[] = [];
    for (const { ended } of runs) {
      expectDone(await ended);
      keys.push(keyIn((await ended).stdout));
    }
    expect(new Set(keys).size).toBe(1);
  });

  it('uses its data again after it was killed', async () => {
    const directory = await preparedDirectory();
    const killed = start(directory, []);
    const stdout = await killed.shows(READY);
    killed.kill('SIGKILL');
    await killed.ended;
    // At once: a sandbox that has just started does not know the tokens of the one before.
    const next = await start(directory, ['--once']).ended;
    expectDone(next);
    expect(next.stdout).toContain('its data in .data/backend/database\n');
    expect(next.stdout).toContain('has one of an earlier run: in_progress since');
    expect(transactionIn(next.stdout)).not.toBe(transactionIn(stdout));
  });

  it('says how it is used', async () => {
    const { code, stdout, stderr } = await start(await temporaryDirectory(), ['--help']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm start -- \[--once\]\n/);
  });

  it('ends with 1 and one sentence when something is wrong', async () => {
    const sandbox = await startSandbox();
    const account = accountOf(sandbox);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    closeAfterTest(async () => taken.close());
    const port = String((taken.address() as AddressInfo).port);
    const directory = await preparedDirectory();
    const refuse = (environment: Record<string, string>, ...args: string[]): Promise<Ended> =>
      start(directory, ['--once', ...args], environment).ended;

    expectRefused(await refuse({}, '--twice'), /'--twice'/);
    for (const name of ['BERBIX_TEMPLATE_KIND', 'BERBIX_TEMPLATE_KEY', 'BERBIX_API_HOST']) {
      const sentence = new RegExp(`^${name} is set, and BERBIX_API_SECRET is not\\.`);
      expectRefused(await refuse({ [name]: account[name] ?? '' }), sentence);
    }
    expectRefused(await refuse({ PORT: 'http' }), /PORT must be a port number from 0 to 65535/);
    expectRefused(await refuse({ PORT: port }), /PORT is \d+, which cannot be used \(EADDRINUSE\)/);
    const file = join(directory, 'file');
    await writeFile(file, '');
    expectRefused(
      await refuse({ DATA_DIR: join(file, 'data') }),
      /data directory .* cannot be used/,
    );
    expectRefused(
      await refuse({ ...account, DATA_DIR: join(file, 'data') }),
      /data directory .* cannot be used/,
    );
    const closed = 'user:hidden@127.0.0.1:1';
    for (const [name, url] of [
      ['DATABASE_URL', `postgres://${closed}/db`],
      ['REDIS_URL', `redis://${closed}`],
    ] as const) {
      const refused = await refuse({ [name]: url });
      expectRefused(refused, new RegExp(`server of ${name} cannot be used \\(ECONNREFUSED\\)`));
      expect(refused.stderr).not.toContain('hidden');
    }
    expectRefused(
      await refuse({ ...account, BERBIX_TEMPLATE_KEY: '' }),
      /BERBIX_TEMPLATE_KEY is missing/,
    );
    expectRefused(
      await refuse({ ...account, BERBIX_TEMPLATE_KIND: 'paper' }),
      /BERBIX_TEMPLATE_KIND must be sdk or hosted/,
    );
    expectRefused(
      await refuse({ ...account, BERBIX_API_SECRET: 'secret_test_of_another_account' }),
      /refused \(401\)\. Check that apiSecret/,
    );
    const withoutHooks = { BERBIX_WEBHOOK_FINISHED_SECRET: '', BERBIX_WEBHOOK_STATUS_SECRET: '' };
    expectRefused(
      await refuse({ ...account, ...withoutHooks, BERBIX_TEMPLATE_KEY: 'unknown' }),
      /template_key names no template/,
    );
    await sandbox.close();
    expectRefused(await refuse(account), /^BERBIX_CONNECTION: /);
    // Nothing of it left the data locked.
    expectDone(await refuse({}));
  });
});
