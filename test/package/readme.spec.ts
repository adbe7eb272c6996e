import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BerbixModule } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { fromVault, accounts } from '../../examples/readme/configuration.js';
import { Customers } from '../../examples/readme/customers.js';
import { refreshIfPossible } from '../../examples/readme/errors.js';
import { VerificationService } from '../../examples/readme/quick-start.js';
import { testWithSandbox } from '../../examples/readme/sandbox.js';
import { Test } from '@nestjs/testing';
import {
  closeAfterTest,
  createTransaction,
  servicesFor,
  startModule,
  startSandbox,
} from '../support/services.js';
import { captureOutput } from '../support/sinks.js';

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1] as string);
const sources = readdirSync('examples/readme').map((file) =>
  readFileSync(`examples/readme/${file}`, 'utf8'),
);

describe('the README', () => {
  it('shows code that is compiled and run here', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const block of blocks) expect(sources).toContain(block);
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]+)/g)].map(
      (match) => match[1] as string,
    );
    const known = new Set([...Object.keys(scripts), 'ci', 'install', 'run']);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the walk with curl', () => {
  it('goes through a hosted verification', async () => {
    const sandbox = await startSandbox({ apiSecret: 'secret_test_example' });
    const [, script = ''] = /```sh\n(API=[^]*?)```/.exec(readme) ?? [];
    const { stdout } = await promisify(execFile)('sh', [
      '-euc',
      script.replace(/API=\S+/, `API=${sandbox.url}`),
    ]);
    const [hostedUrl, ...actions] = stdout.trim().split('\n');
    expect(hostedUrl).toMatch(/^http:.*\/hosted\//);
    expect(actions).toEqual(['review', 'accept']);
    expect([...sandbox.requests].map(({ status }) => status)).toEqual([
      200, 204, 200, 200, 200, 204,
    ]);
  });
});

describe('the code of the README', () => {
  it('resumes a verification', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const created = await createTransaction(sandbox, await servicesFor(sandbox));
    const module = await Test.createTestingModule({
      imports: [BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url })],
      providers: [VerificationService, Customers],
    }).compile();
    closeAfterTest(() => module.close());
    const customers = module.get(Customers);
    await customers.save('ada', created);
    for (let visit = 0; visit < 3; visit++) {
      const answer = await firstValueFrom(module.get(VerificationService).resume('ada'));
      expect(Object.keys(answer).toSorted()).toEqual(['clientToken', 'expiresAt']);
    }
    expect(customers.refreshTokenOf('ada')).not.toBe(created.refreshToken);
  });

  it('configures the module', async () => {
    expect(await startModule(fromVault, ...accounts)).toBeDefined();
  });

  it('tells errors apart', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    expect(await firstValueFrom(refreshIfPossible(tokens, 'rt_unknown'))).toBeUndefined();
    sandbox.faults.add({ kind: 'status', status: 401 });
    await expect(firstValueFrom(refreshIfPossible(tokens, 'rt_any'))).rejects.toThrow('apiSecret');
  });

  it('tests against the sandbox', async () => {
    let printed = '';
    const { log } = console;
    console.log = (...values: unknown[]) => (printed = values.join(' '));
    try {
      await captureOutput(testWithSandbox);
    } finally {
      console.log = log;
    }
    expect(printed).toBe('true 3');
  });
});
