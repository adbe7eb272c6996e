import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, it } from '@jest/globals';
import { templateKeysOf } from '../../lib/sandbox/transactions/templates.js';
import { closeAfterTest } from '../support/closing.js';
import { temporaryDirectory } from '../support/directories.js';
import { startSandbox } from '../support/services.js';
import { accountOf, exchanged } from './support/backend.js';
import { startCollector } from './support/collector.js';
import { SHOWN_SECRET, expectDone, expectRefused } from './support/ended.js';
import {
  type Ended,
  preparedDirectory,
  start,
  startHere,
  startOnce,
  storeInMemory,
} from './support/start.js';

const READY = 'delete it to start over';

interface Stored {
  customers: unknown[];
  /** All rows of the table of tokens. */
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

const transactionIn = (stdout: string): string | undefined =>
  /Berbix +(?:created|resumed) transaction (\d+)/.exec(stdout)?.[1];

const databaseIn = (stdout: string): string =>
  /its data in \.data\/backend\/(\S+)\n/.exec(stdout)?.[1] ?? '';

const keyIn = (stdout: string): string | undefined => /b1\.(demo-\w+)\./.exec(stdout)?.[1];

/** Runs the commands that the output suggests. */
async function answersToCommands(stdout: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [, method = 'GET', customer, url = ''] of stdout.matchAll(
    /curl (?:-X (\w+) )?(-H "x-demo-customer: ada" )?(http\S+)/g,
  )) {
    const headers: Record<string, string> = customer ? { 'x-demo-customer': 'ada' } : {};
    const response = await fetch(url, { method, headers });
    const text = await response.text();
    answers.push([response.status, text === '' ? text : JSON.parse(text)]);
  }
  return answers;
}

describe('npm start', () => {
  it('shows a verification, stops with --once, and finds its data again', async () => {
    const directory = await preparedDirectory('database');
    const data = join(directory, '.data', 'backend');
    const first = await startOnce(directory);
    expectDone(first);
    expect(first.stdout).toContain('its data in .data/backend/database\n');
    expect(first.stdout).toContain('status, signature checked and handled (204)');
    expect(first.stdout).toContain('Answer      accepted since');
    expect(first.stdout).toContain(': accept, JOHN DOE');
    expect(first.stdout).not.toContain(READY);
    const second = await startOnce(directory);
    expectDone(second);
    expect(second.stdout).toContain('has one of an earlier run: accepted since');
    expect(keyIn(second.stdout)).toBe(keyIn(first.stdout));
    const transaction = transactionIn(second.stdout);
    expect(transaction).not.toBe(transactionIn(first.stdout));
    const { customers, tokens } = await storedIn(join(data, 'database'));
    expect(customers).toEqual([
      { customer_uid: 'ada', status: 'accepted', transaction_id: transaction },
    ]);
    expect(tokens).toContain(`default/transaction/${transaction}`);
    // With the quote, since encrypted text may contain these letters by chance.
    expect(tokens).not.toMatch(/"(?:rt_|at_|eyJ)/);
  });

  it('generates a key for the demo and says so, and uses given keys', async () => {
    await storeInMemory();
    const directory = temporaryDirectory();
    const file = join(directory, '.data', 'backend', 'demo-encryption-key');
    const first = await startOnce(directory);
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
    const elsewhere = temporaryDirectory();
    const given = await startOnce(elsewhere, { BERBIX_ENCRYPTION_KEYS });
    expectDone(given);
    expect(given.stdout).toContain('b1.mine.');
    expect(given.stdout).not.toContain('for the demo only');
    // A value that was encrypted with one key cannot be decrypted with another.
    const other = await startOnce(directory, { BERBIX_ENCRYPTION_KEYS });
    expectRefused(
      other,
      /encrypted with the key "demo-\w+".* start over .*: delete \.data\/backend\./,
    );
  });

  it('uses and resumes with the account of the environment, and prints none of its secrets', async () => {
    await storeInMemory();
    const sandbox = await startSandbox();
    const directory = temporaryDirectory();
    const run = (kind: 'sdk' | 'hosted'): Promise<Ended> =>
      startOnce(directory, { ...accountOf(sandbox, kind), DATA_DIR: 'mine' });
    const other = await run('sdk');
    expect(other.stdout).toContain('Answer      client token eyJ');
    expect(other.stdout).toContain('its data in mine/database\n');
    const [first, second] = [await run('hosted'), await run('hosted')];
    expect(second.stdout).toContain(`resumed transaction ${transactionIn(first.stdout)}`);
    // Ada finishes, and no webhook arrives.
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

  it('makes a database, shows what to try, and all of it works until SIGINT; a collector hears of it', async () => {
    const collector = await startCollector();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const run = start(temporaryDirectory(), [], environment);
    const stdout = await run.shows(READY);
    expect(stdout).toMatch(/^Starting Berbix, the database and the backend \.\.\.\n/);
    expect(stdout).toContain(`   Telemetry   sent to ${collector.url}\n`);
    const page = await fetch(/Backend +(http\S+)/.exec(stdout)?.[1] ?? '');
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/GET +\/verification .*x-demo-customer/s);

    const [, host = ''] = /Try the API +open (http\S+)\/reference/.exec(stdout) ?? [];
    expect(stdout).toContain(`open ${host} to see what just happened`);
    expect((await fetch(`${host}/reference`)).status).toBe(200);
    const [secret = ''] = SHOWN_SECRET.exec(stdout) ?? [];
    const created = await fetch(`${host}/v0/transactions`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${secret}:`)}` },
      body: JSON.stringify({ customer_uid: 'grace', template_key: templateKeysOf(secret).sdk }),
    });
    expect(created.status).toBe(200);

    const backend = /open (http\S+) and sign in/.exec(stdout)?.[1] ?? '';
    const ada = { method: 'POST', headers: { 'x-demo-customer': 'ada' } };
    const begun = await fetch(`${backend}/verification`, ada);
    const { clientToken } = (await begun.json()) as { clientToken: string };
    const frame = `${host}/v0/verify?client_token=${clientToken}`;
    const form = new URLSearchParams({ choice: 'review' });
    expect((await fetch(frame, { method: 'POST', body: form })).status).toBe(200);
    const log = await run.shows('The status of transaction');
    expect(log).toContain(`The customer has finished transaction ${transactionIn(stdout)}`);
    expect(log).toContain(`The status of transaction ${transactionIn(stdout)} was updated`);
    expect(await answersToCommands(stdout)).toEqual([
      [200, { status: 'review', since: expect.any(String) }],
      [200, expect.objectContaining({ action: 'review', name: 'JOHN DOE' })],
      [409, expect.anything()],
      [200, expect.objectContaining({ isResumed: false })],
      [204, ''],
      [200, { requests: expect.any(Array) }],
    ]);
    run.kill('SIGINT');
    const ended = await run.ended;
    expectDone(ended);
    expect(ended.stdout).toContain('in_progress since');
    const traces = collector.received('/v1/traces');
    for (const name of ['berbix.verification.begin', 'berbix.tokens.exchange', 'POST']) {
      expect(traces).toContain(`"name":"${name}"`);
    }
    expect(traces).toContain('nestjs-berbix-example');
    expect(collector.received('/v1/metrics')).toContain('berbix.token.exchange.duration');
    expect(collector.received()).not.toMatch(/(?:\b(?:secret_test|rt|at)_|\beyJ)\w{8}/);
  });

  it('can be started twice at the same time, finds the data of a run that was killed, and runs until SIGTERM', async () => {
    const directory = await preparedDirectory('database', 'database-2');
    const [killed, other] = [start(directory, []), startHere(directory, [])];
    const outputs = [await killed.shows(READY), await other.shows(READY)] as const;
    const [first = '', second = ''] = outputs.toSorted((a, b) =>
      databaseIn(a) < databaseIn(b) ? -1 : 1,
    );
    expect([first, second].map(databaseIn)).toEqual(['database', 'database-2']);
    expect(second).toContain('(another run uses .data/backend/database)');
    for (const stdout of outputs) expect(stdout).not.toContain('of an earlier run');
    expect(keyIn(first)).toBe(keyIn(second));

    killed.kill('SIGKILL');
    await killed.ended;
    // Immediately. The new sandbox does not know the tokens of the earlier one.
    const next = start(directory, [], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    const stdout = await next.shows(READY);
    expect(databaseIn(stdout)).toBe(databaseIn(outputs[0]));
    expect(stdout).toContain('has one of an earlier run: in_progress since');
    expect(transactionIn(stdout)).not.toBe(transactionIn(outputs[0]));
    expect(keyIn(stdout)).toBe(keyIn(first));
    for (const run of [other, next]) run.kill('SIGTERM');
    expectDone(await other.ended);
    // It says that nobody received its traces and metrics.
    const { stderr, ...ended } = await next.ended;
    expect(stderr).toContain('export failed');
    expectDone({ ...ended, stderr: '' });
  });

  it('shows its usage', async () => {
    const { code, stdout, stderr } = await startOnce(temporaryDirectory(), {}, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm start -- \[--once\]\n.* OTEL_EXPORTER_OTLP_ENDPOINT /s);
  });

  it('exits with 1 and a one-sentence message if something is wrong', async () => {
    const sandbox = await startSandbox();
    const account = accountOf(sandbox);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    closeAfterTest(async () => taken.close());
    const port = String((taken.address() as AddressInfo).port);
    const directory = await preparedDirectory('database');
    const refuse = (environment: Record<string, string>, ...args: string[]): Promise<Ended> =>
      startOnce(directory, environment, ...args);

    const closedRedis = { REDIS_URL: 'redis://127.0.0.1:1' };
    expectRefused(await start(directory, ['--once'], closedRedis).ended, /server of REDIS_URL/);
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
    // None of these runs has left the data locked.
    expectDone(await refuse({}));

    await storeInMemory();
    expectRefused(await refuse({}, '--twice'), /'--twice'/);
    for (const name of ['BERBIX_TEMPLATE_KIND', 'BERBIX_TEMPLATE_KEY', 'BERBIX_API_HOST']) {
      const sentence = new RegExp(`^${name} is set, and BERBIX_API_SECRET is not\\.`);
      expectRefused(await refuse({ [name]: account[name] ?? '' }), sentence);
    }
    expectRefused(await refuse({ PORT: 'http' }), /PORT must be a port number from 0 to 65535/);
    expectRefused(
      await refuse({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }),
      /OTEL_EXPORTER_OTLP_ENDPOINT must be a URL, such as http:/,
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
    expectRefused(await refuse(account), /ECONNREFUSED.* \(BERBIX_CONNECTION, see docs/);
  });
});
