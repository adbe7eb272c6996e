import { describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { runBuilt } from './run-command.support.js';

const run = (args: string[], input: string, environment: Record<string, string | undefined>) =>
  runBuilt(['refresh', ...args], environment, input);

const account = (sandbox: BerbixSandbox): Record<string, string> => ({
  BERBIX_API_SECRET: sandbox.apiSecret,
  BERBIX_API_HOST: sandbox.url,
});

describe('nestjs-berbix refresh', () => {
  it('exchanges the token on standard input, and shows no token unless asked to', async () => {
    const sandbox = await startSandbox();
    const { refreshToken, transactionId } = await createTransaction(
      sandbox,
      await servicesFor(sandbox),
    );
    const ended = await run([], `${refreshToken}\n`, account(sandbox));
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`Transaction ${transactionId}.`);
    expect(ended.stdout).toContain('the same; keep it');
    expect(ended.stdout).not.toMatch(/[ar]t_/);
  });

  it('prints one line of JSON with --json; over TLS too', async () => {
    const sandbox = await startSandbox({ tls: true, refreshToken: 'rotate' });
    const { refreshToken, transactionId } = await createTransaction(
      sandbox,
      await servicesFor(sandbox),
    );
    const ended = await run(['--json'], refreshToken, {
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

  it('never loses a refresh token that was replaced', async () => {
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
  });

  it.each<[string, string[], string, Record<string, string | undefined>, number, RegExp]>([
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
