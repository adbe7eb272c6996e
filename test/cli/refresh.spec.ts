import { describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { refreshCommand } from '../../lib/cli/refresh.command.js';
import { runBuilt, runCommand } from './support/run-command.js';

type Environment = Record<string, string | undefined>;

const run = (args: string[], input: string, environment: Environment) =>
  runCommand(refreshCommand, args, environment, input);

/** Runs the command in a process of its own. */
const runApart = (args: string[], input: string, environment: Environment) =>
  runBuilt(['refresh', ...args], environment, input);

const account = (sandbox: BerbixSandbox): Record<string, string> => ({
  BERBIX_API_SECRET: sandbox.apiSecret,
  BERBIX_API_HOST: sandbox.url,
});

describe('nestjs-berbix refresh', () => {
  it('exchanges the token from standard input, and shows no token by default', async () => {
    const sandbox = await startSandbox();
    const { refreshToken, transactionId } = await createTransaction(
      sandbox,
      await servicesFor(sandbox),
    );
    const ended = await runApart([], `${refreshToken}\n`, account(sandbox));
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`Transaction ${transactionId}.`);
    expect(ended.stdout).toContain('unchanged; keep it');
    expect(ended.stdout).toMatch(/valid until \d{4}-\d\d-\d\dT[\d:.]+Z/);
    expect(ended.stdout).not.toMatch(/[ar]t_/);
  });

  it('prints one line of JSON with --json, over TLS too', async () => {
    const sandbox = await startSandbox({ tls: true, refreshToken: 'rotate' });
    const { refreshToken, transactionId } = await createTransaction(
      sandbox,
      await servicesFor(sandbox),
    );
    const ended = await runApart(['--json'], refreshToken, {
      ...account(sandbox),
      BERBIX_API_HOST: sandbox.tlsUrl,
      NODE_EXTRA_CA_CERTS: sandbox.ca,
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout.trim()).not.toContain('\n');
    expect(JSON.parse(ended.stdout)).toEqual({
      transactionId,
      accessToken: expect.any(String),
      clientToken: expect.any(String),
      refreshToken: expect.not.stringContaining(refreshToken),
      expiresAt: expect.any(String),
    });
  });

  it('never loses a replaced refresh token', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const { refreshToken } = await createTransaction(sandbox, await servicesFor(sandbox));
    const { stdout } = await run([], refreshToken, account(sandbox));
    const next = /store this one instead: (\S+)/.exec(stdout)?.[1] ?? '';
    expect((await run([], next, account(sandbox))).code).toBe(0);

    sandbox.faults.add({
      kind: 'answer',
      body: { access_token: 'a', refresh_token: 'rt_new', expires_in: 0 },
    });
    const failed = await run([], next, account(sandbox));
    expect(failed).toMatchObject({ code: 1, stdout: 'rt_new\n' });
    expect(failed.stderr).toMatch(/ store it: the line on standard output\.\n$/);
  });

  it('asks for the token at a terminal', async () => {
    const sandbox = await startSandbox();
    const { refreshToken } = await createTransaction(sandbox, await servicesFor(sandbox));
    const atTerminal = (args: string[]) => {
      Object.assign(process.stdin, { isTTY: true });
      return refreshCommand(args);
    };
    const { code, stderr } = await runCommand(atTerminal, [], account(sandbox), refreshToken);
    expect([code, stderr]).toEqual([0, 'Paste the refresh token, then press Enter and Ctrl+D.\n']);
  });

  it('explains itself with --help, and reads no token', async () => {
    const ended = await run(['--help'], 'rt', { BERBIX_API_SECRET: undefined });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^Usage: nestjs-berbix refresh/);
  });

  it.each<[string, string[], string, Environment, number, RegExp]>([
    [
      'no secret',
      [],
      'rt',
      { BERBIX_API_SECRET: undefined },
      1,
      /^The environment variable BERBIX_API_SECRET is missing/,
    ],
    ['no token', [], '', {}, 1, /^The refresh token is empty/],
    ['two tokens', [], 'rt_a\nrt_b', {}, 1, /^The refresh token contains a line break/],
    ['an unknown token', [], 'rt_unknown', {}, 1, /^POST \/v0\/tokens was refused \(401\)/],
    ['an unknown flag', ['--jsn'], 'rt', {}, 2, /--jsn.*\n\nUsage:/s],
  ])('%s: one sentence, exit code', async (_what, args, input, environment, code, message) => {
    const sandbox = await startSandbox();
    const ended = await run(args, input, { ...account(sandbox), ...environment });
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain('    at ');
  });
});
