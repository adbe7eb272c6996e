import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as berbix from 'nestjs-berbix';
import {
  FromEnvironmentModule,
  accounts,
  fromVault,
} from '../../examples/docs/configuration/options.js';
import { SANDBOX_USAGE, parseSandboxFlags } from '../../lib/cli/sandbox.flags.js';
import { CONTROL_OPERATIONS } from '../../lib/sandbox/control/control-operations.js';
import { findOnPath } from '../support/find-on-path.js';
import { describeWith } from '../support/requirements.js';
import { startModule, startSandbox } from '../support/services.js';
import { sandboxOfEnvironment } from './docs.support.js';

const pageOf = (name: string): string => readFileSync(`docs/${name}.md`, 'utf8');

describe('docs/configuration.md', () => {
  it('configures the module', async () => {
    await sandboxOfEnvironment();
    expect(await startModule(fromVault, ...accounts)).toBeDefined();
    expect(await startModule({ module: FromEnvironmentModule })).toBeDefined();
  });

  it('names every variable that is read', () => {
    const source = readFileSync('lib/berbix.config.ts', 'utf8');
    const variables = new Set(source.match(/BERBIX_[A-Z_]+/g));
    expect(variables.size).toBeGreaterThan(7);
    for (const variable of variables) expect(pageOf('configuration')).toContain(`\`${variable}\``);
  });
});

describe('docs/errors.md', () => {
  it('has every class of errors, and no other', () => {
    const classes = Object.entries(berbix)
      .filter(([, value]) => Object.getPrototypeOf(value) === berbix.BerbixError)
      .map(([name]) => name);
    const listed = [...pageOf('errors').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(classes.toSorted());
  });
});

describe('docs/sandbox.md', () => {
  it('has every flag', () => {
    const flags = new Set(SANDBOX_USAGE.match(/--[a-z-]+/g));
    flags.delete('--help');
    expect(flags.size).toBeGreaterThan(15);
    for (const flag of flags) expect(pageOf('sandbox')).toContain(`\`${flag}`);
  });

  it('has every request of the control API, and no other', () => {
    const listed = [...pageOf('sandbox').matchAll(/^\| `([A-Z]+ \/sandbox\S*)`/gm)];
    const requests = CONTROL_OPERATIONS.map(({ request }) => request);
    expect(listed.map(([, request]) => request)).toEqual(['GET /sandbox', ...requests]);
  });

  describeWith('curl', findOnPath('curl') !== undefined)('its walk', () => {
    it('goes through a hosted verification with curl', async () => {
      const walk = /```sh\n(# In another terminal: npx nestjs-berbix sandbox (.*)\n[^]*?)```/;
      const [, script = '', flags = ''] = walk.exec(pageOf('sandbox')) ?? [];
      const parsed = parseSandboxFlags(flags.split(' '));
      if (!('options' in parsed)) throw new Error('The first line of the walk has no good flags.');
      expect(script).toContain(`API=http://127.0.0.1:${parsed.options.port} `);
      const sandbox = await startSandbox({ ...parsed.options, port: 0 });
      const here = script.replace(/API=\S+/, `API=${sandbox.url}`);
      const { stdout } = await promisify(execFile)('sh', ['-euc', here]);
      const [hostedUrl, ...actions] = stdout.trim().split('\n');
      expect(hostedUrl).toMatch(/^http:.*\/hosted\//);
      expect(actions).toEqual(['review', 'accept']);
      expect([...sandbox.requests].map(({ status }) => status)).toEqual([
        200, 204, 200, 200, 200, 204,
      ]);
    });
  });
});
