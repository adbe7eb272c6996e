import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandboxReady } from 'nestjs-berbix/sandbox';
import { temporaryDirectory } from '../support/directories.js';
import { listening } from '../support/services.js';
import { CommandRuns } from '../sandbox/support/cli-run.js';
import { expectApproved } from './support/approved.js';
import { Terminal } from './support/terminal.js';

/** The keys of the templates follow from it. */
const SECRET = ['--api-secret', 'secret_test_given'];
const GIVEN = [
  ...SECRET,
  ...'--live-api-secret secret_live_given'.split(' '),
  ...'--webhook-finished-secret whs_finished --webhook-status-secret whs_status'.split(' '),
];
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9';

let runs: CommandRuns;
let terminal: Terminal;
let temporary: string;

beforeEach(() => {
  runs = new CommandRuns();
  temporary = temporaryDirectory();
  terminal = new Terminal()
    .name('state', runs.state)
    .name('temporary', temporary)
    .name('random', /(?<=nestjs-berbix-sandbox-)\w{6}\b/g)
    .name('random', /(?<=\b(?:secret_test_|secret_live_|whs_test_))\w{32}/g)
    .name('port', /(?<=127\.0\.0\.1:)\d{2,}/g)
    .name('port', /(?<=https:\/\/berbix(?:\.internal)?:)(?!4443\b)\d+/g)
    .name('milliseconds', /\b\d+(?= ms$)/gm);
});

/** Starts a sandbox, uses it, ends it, and shows what it has printed. */
async function start(
  args: string[],
  note?: string,
  use: (ready: string) => Promise<unknown> = async () => undefined,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { output, end } = await runs.startHere(args, { TMPDIR: temporary, ...environment });
  await use(output);
  terminal.add(['sandbox', ...args], await end(), note);
}

describe('nestjs-berbix sandbox', () => {
  it('says how to reach it', async () => {
    await start(SECRET, 'the other secrets are generated');
    await start(GIVEN, 'all secrets are given');
    await start([...GIVEN, '--tls'], 'over HTTPS too');
    const hooks = ['--webhook-status', NOBODY];
    const inContainer = ['--host', '0.0.0.0', '--public-url', 'http://berbix:4010', '--tls'];
    await start([...GIVEN, ...inContainer, ...hooks], 'in a container');
    const byName = ['--public-url', 'https://berbix.internal:4443', '--tls'];
    await start([...GIVEN, ...byName], 'by a name, over HTTPS');
    await start([...GIVEN, '--json'], 'for programs');
    await start([...GIVEN, '--json', '--tls'], 'for programs, over HTTPS');
    expectApproved('cli/sandbox.txt', terminal.text);
  });

  it('says what happens in it', async () => {
    const hooks = ['--webhook-finished', `${NOBODY}/hook/kHmZ81PsVw`, '--json'];
    await start([...GIVEN, ...hooks], undefined, async (output) => {
      const { url } = JSON.parse(output) as BerbixSandboxReady;
      await fetch(`${url}/v0/tokens/kHmZ81PsVw?key=kHmZ81PsVw`);
      // Only parts like those of the API are shown: short words, and versions of one digit.
      await fetch(`${url}/v2/${'a-_z'.repeat(6)}/${'a'.repeat(25)}/Token/v10/`);
      await fetch(`${url}/sandbox/webhooks/test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"kind":"finished"}',
      });
    });
    expectApproved('cli/sandbox-activity.txt', terminal.text);
  });

  it('says which secrets cannot be kept', async () => {
    const [file, nowhere] = [join(runs.state, 'nestjs-berbix/sandbox-secrets.json'), '/dev/null'];
    await start([...SECRET, '--json']);
    writeFileSync(file, '{"apiSecret":"secret_test_kept","webhooks":{"status":{"secret":"x y"}}}');
    await start(['--json'], 'the file of the secrets was edited');
    await start([...SECRET, '--json', '--new-secrets']);
    const unwritable = { XDG_STATE_HOME: nowhere, LOCALAPPDATA: nowhere };
    await start([...SECRET, '--json'], 'they cannot be kept', undefined, unwritable);
    expectApproved('cli/sandbox-secrets.txt', terminal.text);
  });

  it('says why it does not start', async () => {
    const taken = await listening(createServer());
    const [port, file] = [new URL(taken).port, join(temporaryDirectory(), 'file')];
    writeFileSync(file, '');
    terminal.name('taken', port).name('file', file);
    await terminal.run(['sandbox', '--port', port]);
    await terminal.run(['sandbox', '--tls', '--tls-port', port]);
    await terminal.run(['sandbox', '--host', '192.0.2.1']);
    await terminal.run(['sandbox', '--data', join(file, 'directory')]);
    await terminal.run(['sandbox', 'exec', '--port', port, '--', 'true']);
    expectApproved('cli/sandbox-failures.txt', terminal.text);
  });

  it('exec prints the approved texts', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '', { mode: 0o600 });
    terminal.name('node', process.execPath).name('file', file);
    const exec = (...args: string[]) => terminal.run(['sandbox', 'exec', ...args]);
    await exec('--help');
    await exec('npm', 'test');
    await exec();
    await exec('--');
    await exec('--prot', '1', '--', 'true');
    await exec('--port', 'x', '--', 'true');
    await exec('--json', '--', 'true');
    await exec('--open', '--', 'true');
    await exec('--', '/no/such/program');
    await exec('--quiet', '--', file);
    await exec('--host', '0.0.0.0', '--', process.execPath, '-e', 'process.exit(7)');
    expectApproved('cli/sandbox-exec.txt', terminal.text);
  });
});
