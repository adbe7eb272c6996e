import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closeAfterTest, startSandbox } from '../support/services.js';
import { accountOf } from './backend.support.js';
import {
  createDirectory,
  type Ended,
  removeDirectory,
  start,
  temporaryDirectory,
} from './start.support.js';

jest.setTimeout(180_000);

const STEPS = [
  '1. Ada begins her verification: POST /verification',
  '2. Ada comes back later: POST /verification',
  'loaded the refresh token rt_',
  'exchanged it for fresh tokens of the same transaction',
  '3. Ada asks where she stands: GET /verification',
];
const READY = 'The backend stays up';

function expectDone({ code, stdout, stderr }: Ended): void {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(STEPS.filter((step) => !stdout.includes(step))).toEqual([]);
  // Four characters of a token at most.
  expect(stdout).not.toMatch(/\b(?:rt|at)_\w\w|eyJ\w\w|secret_/);
}

function expectRefused({ code, stderr }: Ended, sentence: RegExp): void {
  expect(code).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
}

/** What is stored in a data directory that is not in use. */
async function storedIn(directory: string): Promise<unknown[]> {
  const pglite = await PGlite.create(join(directory, 'postgres'));
  try {
    return (await pglite.query('SELECT customer_uid, transaction_id FROM verifications')).rows;
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
  await cp(newDatabase, join(directory, '.data', 'backend', 'postgres'), { recursive: true });
  return directory;
}

const transactionIn = (stdout: string): string | undefined =>
  /Answer +transaction (\d+), begun/.exec(stdout)?.[1];

describe('npm start', () => {
  it('shows the main job, ends with --once, and finds its data again', async () => {
    const directory = await temporaryDirectory();
    const data = join(directory, '.data', 'backend');
    const first = await start(directory, ['--once']).ended;
    expectDone(first);
    expect(first.stdout).toContain('its data in .data/backend\n');
    expect(first.stdout).toContain('created transaction');
    expect(first.stdout).not.toContain(READY);
    const transaction = transactionIn(first.stdout);
    expect(await storedIn(data)).toEqual([{ customer_uid: 'ada', transaction_id: transaction }]);

    const second = await start(directory, ['--once']).ended;
    expectDone(second);
    expect(second.stdout).toContain(`had transaction ${transaction} of an earlier run`);
    expect(second.stdout).toContain('cannot continue it');
    const successor = transactionIn(second.stdout);
    expect(successor).not.toBe(transaction);
    expect(await storedIn(data)).toEqual([{ customer_uid: 'ada', transaction_id: successor }]);
  });

  it('uses the account of the environment, resumes in it, and prints none of its secrets', async () => {
    const sandbox = await startSandbox();
    const directory = await temporaryDirectory();
    const environment = { ...accountOf(sandbox), DATA_DIR: join(directory, 'mine') };
    const first = await start(directory, ['--once'], environment).ended;
    const second = await start(directory, ['--once'], environment).ended;
    const secrets = sandbox.requests
      .to('POST', '/v0/tokens')
      .map(({ body }): string => JSON.parse(body).refresh_token);
    // Each run comes back once, and the second one resumes first.
    expect(secrets).toHaveLength(3);
    for (const ended of [first, second]) {
      expectDone(ended);
      expect(ended.stdout).toContain(`${sandbox.url} (the account of your API secret)`);
      for (const secret of [...secrets, sandbox.apiSecret]) {
        expect(ended.stdout).not.toContain(secret);
      }
    }
    expect(second.stdout).toContain('knows it: resumed');
    expect(transactionIn(second.stdout)).toBe(transactionIn(first.stdout));
    expect(sandbox.requests.to('POST', '/v0/transactions')).toHaveLength(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stays up until %s, then exits 0', async (signal) => {
    const directory = await preparedDirectory();
    const run = start(directory, []);
    await run.shows('delete it to begin anew');
    run.kill(signal);
    const ended = await run.ended;
    expectDone(ended);
    expect(await storedIn(join(directory, '.data', 'backend'))).toHaveLength(1);
  });

  it('shows where to look: its commands work while it stays up', async () => {
    const run = start(await preparedDirectory(), []);
    const stdout = await run.shows('delete it to begin anew');
    const commands = [...stdout.matchAll(/curl (-X POST )?(-H "x-demo-customer: grace" )?(\S+)/g)];
    const answers: unknown[] = [];
    for (const [, post, customer, url = ''] of commands) {
      const response = await fetch(url, {
        method: post ? 'POST' : 'GET',
        headers: customer ? { 'x-demo-customer': 'grace' } : {},
      });
      answers.push([response.status, Object.keys((await response.json()) as object)]);
    }
    expect(answers).toEqual([
      [200, ['clientToken', 'expiresAt']],
      [200, ['transactionId', 'startedAt']],
      [200, ['requests']],
    ]);
  });

  it('keeps away from the data of a run that stays up', async () => {
    const directory = await preparedDirectory();
    const staying = start(directory, []);
    await staying.shows(READY);
    const other = await start(directory, ['--once']).ended;
    expectDone(other);
    expect(other.stdout).toContain('its data in .data/backend-2\n');
    expect(other.stdout).toContain('(another run uses .data/backend)');
    staying.kill('SIGTERM');
    expectDone(await staying.ended);
    for (const data of ['backend', 'backend-2']) {
      expect(await storedIn(join(directory, '.data', data))).toHaveLength(1);
    }
  });

  it('can be started twice at the same moment', async () => {
    const directory = await temporaryDirectory();
    const runs = [start(directory, ['--once']), start(directory, ['--once'])];
    for (const { ended } of runs) expectDone(await ended);
    expect(await storedIn(join(directory, '.data', 'backend'))).toHaveLength(1);
  });

  it('uses its data again after it was killed', async () => {
    const directory = await preparedDirectory();
    const killed = start(directory, []);
    const stdout = await killed.shows(READY);
    killed.kill('SIGKILL');
    await killed.ended;
    const next = await start(directory, ['--once']).ended;
    expectDone(next);
    expect(next.stdout).toContain('its data in .data/backend\n');
    expect(next.stdout).toContain(`had transaction ${transactionIn(stdout)} of an earlier run`);
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
    expectRefused(await refuse({ PORT: 'http' }), /PORT must be a port number from 0 to 65535/);
    expectRefused(await refuse({ PORT: port }), /PORT is \d+, which cannot be used \(EADDRINUSE\)/);
    expectRefused(
      await refuse({ DATA_DIR: join(process.execPath, 'data') }),
      /The data directory .* cannot be used/,
    );
    expectRefused(
      await refuse({ ...account, BERBIX_TEMPLATE_KEY: '' }),
      /BERBIX_TEMPLATE_KEY is missing/,
    );
    expectRefused(
      await refuse({ ...account, BERBIX_API_SECRET: 'secret_test_of_another_account' }),
      /refused \(401\)\. Check that apiSecret/,
    );
    await sandbox.close();
    expectRefused(await refuse(account), /502: Identity verification cannot be reached/);
    // Nothing of it left the data locked.
    expectDone(await refuse({}));
  });
});
