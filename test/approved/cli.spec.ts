import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { temporaryDirectory } from '../support/directories.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { VERSION } from '../../lib/version.js';
import { runMain } from '../cli/support/run-main.js';
import { expectApproved } from './support/approved.js';
import { Terminal } from './support/terminal.js';

const account = (sandbox: BerbixSandbox): Record<string, string> => ({
  BERBIX_API_SECRET: sandbox.apiSecret,
  BERBIX_API_HOST: sandbox.url,
});

const OF_MAIN: readonly string[][] = [
  ['--help'],
  ['--version'],
  [],
  ['toString'],
  ['-a-command-of-twenty'],
  ['commands-of-twentyone'],
  ['rt_token'],
  // Other tests run the other commands in processes.
  ['store', '--help'],
  ['openapi', '--help'],
];

describe('nestjs-berbix', () => {
  it('lists its commands', async () => {
    const terminal = new Terminal().name('version', VERSION);
    for (const args of OF_MAIN) {
      const { code, stdout, stderr } = await runMain(args);
      // The files of the commands have their help.
      const shown = args.length > 1 ? stdout.replace(/(?<=\n)[^]+/, '') : stdout;
      terminal.add(args, { code, stdout: shown, stderr });
      if (args[0] === '--help') terminal.help = stdout;
    }
    expectApproved('cli/main.txt', terminal.text);
  });

  it('openapi prints the approved texts', async () => {
    const directory = temporaryDirectory();
    const terminal = new Terminal().name('directory', directory);
    await terminal.run(['openapi', '--help']);
    await terminal.run(['openapi', '--to', 'berbix.json']);
    await terminal.run(['openapi', 'berbix.json']);
    await terminal.run(['openapi', '--out']);
    await terminal.run(['openapi', '--out', join(directory, 'missing', 'berbix.json')]);
    await terminal.run(['openapi', '--out', join(directory, 'berbix.json')]);
    await terminal.run(['openapi'], { show: (document) => `${document.slice(0, 22)}...\n` });
    expectApproved('cli/openapi.txt', terminal.text);
  });

  it('refresh prints the approved texts', async () => {
    const sandbox = await startSandbox();
    const { refreshToken, transactionId = '' } = await createTransaction(
      sandbox,
      await servicesFor(sandbox),
    );
    const terminal = new Terminal()
      .name('transaction', transactionId)
      .name('time', /\d{4}-\d\d-\d\dT[\d:.]+Z/g)
      .name('refresh token', refreshToken)
      .name('access token', /at_[\w-]{40,}/g)
      .name('client token', /eyJ[\w-]+\.[\w-]+\.[\w-]+/g);
    const refresh = (note: string, input: string, flags: string[] = [], changes = {}) =>
      terminal.run(['refresh', ...flags], {
        note,
        input,
        environment: { ...account(sandbox), ...changes },
      });
    await refresh('reads nothing', '', ['--help']);
    await refresh('a token, and a line break', `${refreshToken}\n`);
    await refresh('a token', refreshToken, ['--json']);
    sandbox.faults.add({
      kind: 'answer',
      body: { access_token: 'at', client_token: 'ct', refresh_token: 'rt_new', expires_in: 3600 },
    });
    await refresh('a token that is replaced, of an unknown transaction', refreshToken);
    sandbox.faults.add({
      kind: 'answer',
      body: { access_token: 'at', refresh_token: 'rt_new', expires_in: 0 },
    });
    await refresh('an answer that cannot be used, except for its refresh token', refreshToken);
    await refresh('no token', '');
    await refresh('two tokens', 'rt_a\nrt_b');
    await refresh('an unknown token', 'rt_unknown');
    await refresh('unknown flag', refreshToken, ['--jsn']);
    await refresh('no secret', refreshToken, [], { BERBIX_API_SECRET: undefined });
    await refresh('a wrong secret', refreshToken, [], { BERBIX_API_SECRET: 'secret_test_other' });
    await refresh('another host over HTTP', refreshToken, [], { BERBIX_API_HOST: 'http://berbix' });
    expectApproved('cli/refresh.txt', terminal.text);
  });
});
