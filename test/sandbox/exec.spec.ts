import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { sandboxCommand } from '../../lib/cli/sandbox.command.js';
import { runCommand } from '../cli/support/run-command.js';
import { temporaryDirectory } from '../support/directories.js';
import { CommandRuns, ROOT } from './support/cli-run.js';

const runs = new CommandRuns();

/** Runs JavaScript with a sandbox. */
const exec = (script: string, ...flags: string[]) =>
  runs.run(
    ['sandbox', 'exec', ...flags, '--', process.execPath, '-e', script, '--', '--json'],
    // Those of the sandbox count, or the command would reach the real API.
    { BERBIX_API_HOST: 'https://api.berbix.test', BERBIX_API_SECRET: 'secret_live_real' },
  );

/** In this process, which is faster; what the command prints is not read. */
const execHere = (...args: string[]) => runCommand(sandboxCommand, ['exec', ...args]);

const END = { SIGTERM: 128 + constants.signals.SIGTERM, SIGHUP: 128 + constants.signals.SIGHUP };

describe('nestjs-berbix sandbox exec', () => {
  it('runs the command with its arguments, a sandbox and the variables for it, and closes it', async () => {
    const script = `
      const { BERBIX_API_HOST: host, BERBIX_API_SECRET: secret, NODE_EXTRA_CA_CERTS: ca } = process.env;
      const names = Object.keys(process.env).filter((name) => name.startsWith('BERBIX_'));
      const args = process.argv.slice(1);
      const certificate = require('node:fs').readFileSync(ca, 'utf8').slice(0, 27);
      fetch(host + '/v0/transactions', {
        method: 'POST',
        headers: { authorization: 'Basic ' + btoa(secret + ':') },
        body: JSON.stringify({ customer_uid: 'ada', template_key: process.env.BERBIX_TEMPLATE_KEY }),
      }).then(({ status }) => console.log(JSON.stringify({ host, names, args, certificate, status })));`;
    const { stdout, stderr, code } = exec(script, '--tls');
    const { host, names, ...rest } = JSON.parse(await stdout) as Record<string, unknown>;
    expect(rest).toEqual({
      args: ['--json'],
      certificate: '-----BEGIN CERTIFICATE-----',
      status: 200,
    });
    const line = `The console of the sandbox is at ${host}/\n`;
    expect([await code, await stderr]).toEqual([0, line]);
    expect(names).toEqual(
      expect.arrayContaining([
        'BERBIX_API_SECRET',
        'BERBIX_API_HOST',
        'BERBIX_TEMPLATE_KEY',
        'BERBIX_WEBHOOK_FINISHED_SECRET',
        'BERBIX_WEBHOOK_STATUS_SECRET',
      ]),
    );
    const socket = connect(Number(new URL(String(host)).port), '127.0.0.1');
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('keeps the other variables, and listens for no signal any more at the end', async () => {
    const before = process.listenerCount('SIGTERM');
    const script = 'process.exit(process.env.SHOP === "open" ? 7 : 1)';
    const args = ['exec', '--quiet', '--', process.execPath, '-e', script];
    const { code } = await runCommand(sandboxCommand, args, { SHOP: 'open' });
    expect([code, process.listenerCount('SIGTERM')]).toEqual([7, before]);
  });

  it('warns if others can reach the sandbox', async () => {
    const { code, stderr } = await execHere('--host', '0.0.0.0', '--', process.execPath, '-e', '');
    expect(stderr).toMatch(/^The sandbox has no login: .* reach 0\.0\.0\.0 /);
    expect(code).toBe(0);
  });

  it('has the secrets of the data directory, or new ones on request', async () => {
    const directory = temporaryDirectory();
    const seen = join(directory, 'seen');
    const script = `require('node:fs').writeFileSync(${JSON.stringify(seen)}, process.env.BERBIX_API_SECRET)`;
    const secretOf = async (...flags: string[]): Promise<string> => {
      const data = ['--data', join(directory, 'data'), '--quiet', ...flags];
      expect((await execHere(...data, '--', process.execPath, '-e', script)).code).toBe(0);
      return readFileSync(seen, 'utf8');
    };
    const first = await secretOf();
    expect(await secretOf()).toBe(first);
    const renewed = await secretOf('--new-secrets');
    expect(renewed).not.toBe(first);
    expect(await secretOf('--new-secrets')).not.toBe(renewed);
    expect(await secretOf('--new-secrets', '--api-secret', 'secret_test_given')).toBe(
      'secret_test_given',
    );
  });

  it('passes a signal on, which ends the command', async () => {
    const { child, code } = exec('console.log("ready"); setInterval(() => {}, 1000)');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGHUP');
    expect(await code).toBe(END.SIGHUP);
  });

  it('starts no command after a signal during the start of the sandbox', async () => {
    const running = execHere('--', '/no/such/program');
    process.emit('SIGHUP', 'SIGHUP');
    expect((await running).code).toBe(END.SIGHUP);
  });

  it('passes signals on to what the command has started, too', async () => {
    const script = 'console.log("ready"); setTimeout(() => {}, 120_000)';
    const shell = ['sh', '-c', `"${process.execPath}" -e '${script}'; exit`];
    const { child, code } = runs.run(['sandbox', 'exec', '--', ...shell]);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGTERM');
    // Known when nobody can write to standard output any more.
    expect(await code).toBe(END.SIGTERM);
  });

  it('lets the command decide what a signal does, and ends with its exit code', async () => {
    const script = `
      process.on('SIGINT', () => process.exit(5));
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const { child, code, stderr } = exec(script, '--quiet');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGINT');
    expect([await code, await stderr]).toEqual([5, '']);
  });

  it('says that the command does not exist', async () => {
    const program = '/no/such/program';
    const { code, stderr } = await execHere('--quiet', '--', program);
    expect([code, stderr]).toEqual([127, `There is no program "${program}" (ENOENT).\n`]);
  });

  it('says that the command cannot be started', async () => {
    const program = `${process.execPath}/program`;
    const { code, stderr } = await execHere('--quiet', '--', program);
    const line = `The program ${JSON.stringify(program)} cannot be started (ENOTDIR).\n`;
    expect([code, stderr]).toEqual([126, line]);
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '', { mode: 0o600 });
    expect(await execHere('--quiet', '--', file)).toMatchObject({
      code: 126,
      stderr: `The program ${JSON.stringify(file)} cannot be started (EACCES).\n`,
    });
  });

  it('finds the files of the console when it is installed globally', async () => {
    const prefix = temporaryDirectory('nestjs-berbix-global-');
    const installed = join(prefix, 'lib/node_modules/nestjs-berbix');
    for (const part of ['package.json', 'dist']) {
      cpSync(join(ROOT, part), join(installed, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
    const link = join(prefix, 'nestjs-berbix');
    symlinkSync(join(installed, 'dist/esm/cli/main.js'), link);
    const script = `
      fetch(process.env.BERBIX_API_HOST + '/console/console.js').then(async (answer) => {
        // A process waits for an answer that it does not read.
        await answer.text();
        console.log(answer.status);
      });`;
    const args = [link, 'sandbox', 'exec', '--', process.execPath, '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: prefix });
    expect(stdout).toBe('200\n');
  });

  it('says why the sandbox does not start', async () => {
    const { code, stderr } = await execHere('--host', '192.0.2.1', '--', 'true');
    expect(code).toBe(1);
    expect(stderr).toContain('--host is 192.0.2.1, which this machine does not have');
  });

  it.each([
    [[], 'Put -- before the command: '],
    [['--'], 'A command is missing after --.'],
    [['--', ''], 'A command is missing after --.'],
    [['npm', 'test'], 'Put -- before the command: nestjs-berbix sandbox exec -- npm test'],
    [['--tls', 'npm', 'run', '--silent'], 'Put -- before the command: '],
    [['--port', 'x', '--', 'true'], '--port must be'],
    [['--json', '--', 'true'], 'sandbox exec takes neither --json nor --open.'],
    [['--open', '--', 'true'], 'sandbox exec takes neither --json nor --open.'],
  ])('refuses %j', async (args, problem) => {
    const { code, stdout, stderr } = await execHere(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(problem)).toBe(true);
    expect(stderr.endsWith('\nSee npx nestjs-berbix sandbox exec --help\n')).toBe(true);
  });

  it('has its own help', async () => {
    const { code, stdout } = await execHere('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: nestjs-berbix sandbox exec');
  });
});
