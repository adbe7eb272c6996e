import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as berbix from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import {
  FromEnvironmentModule,
  accounts,
  fromVault,
} from '../../examples/docs/configuration/options.js';
import { refreshIfPossible } from '../../examples/docs/errors.js';
import { testWithSandbox } from '../../examples/docs/sandbox.js';
import { logLine } from '../../lib/errors/index.js';
import { ANSWERS } from '../../lib/berbix-exception.filter.js';
import { parseSandboxFlags } from '../../lib/cli/sandbox.flags.js';
import { controlOperations } from '../../lib/sandbox/control/control.controller.js';
import { FAULT_KINDS } from '../../lib/sandbox/faults/fault.js';
import { findOnPath } from '../support/programs.js';
import { describeWith } from '../support/requirements.js';
import { servicesFor, startModule, startSandbox } from '../support/services.js';
import { captureOutput, quietNest } from '../support/sinks.js';
import { sandboxOfEnvironment } from './support/docs.js';

quietNest();

const pageOf = (name: string): string => readFileSync(`docs/${name}.md`, 'utf8');

describe('docs/configuration.md', () => {
  it('configures the module', async () => {
    await sandboxOfEnvironment();
    expect(await startModule(fromVault, ...accounts)).toBeDefined();
    expect(await startModule({ module: FromEnvironmentModule })).toBeDefined();
  });

  it('names every variable', () => {
    const source = readFileSync('lib/berbix.config.ts', 'utf8');
    const variables = new Set(source.match(/BERBIX_[A-Z_]+/g));
    expect(variables.size).toBeGreaterThan(7);
    for (const variable of variables) expect(pageOf('configuration')).toContain(`\`${variable}\``);
  });
});

describe('docs/compatibility.md', () => {
  it('has the projects of test:consumers, as `npm run test:consumers -- --docs` writes them', () => {
    const listed = [...pageOf('compatibility').matchAll(/^\| `([\w-]+)` +\| (.*?) +\|$/gm)].map(
      ([, name, description]) => [name, description],
    );
    const projects = readdirSync('test/consumers').filter((name) => name !== 'shared');
    expect(listed).toEqual(
      projects.toSorted().map((name) => {
        const manifest = readFileSync(`test/consumers/${name}/package.json`, 'utf8');
        return [name, (JSON.parse(manifest) as { description: string }).description];
      }),
    );
  });
});

describe('docs/errors.md', () => {
  const cell = String.raw`[^|]*\w[^|]*\|`;
  const row = new RegExp(
    `^\\| <a id="(\\w+)"></a>\`(\\w+)\`<br>\`(\\w+)\` *\\|${cell}${cell}${cell}$`,
    'gm',
  );
  const rows = [...pageOf('errors').matchAll(row)];
  const classes = Object.entries(berbix).filter(
    ([, value]) => Object.getPrototypeOf(value) === berbix.BerbixError,
  ) as [string, typeof berbix.BerbixGoneError][];

  it('has every class of errors with its code, and no other', () => {
    const codes = classes.map(([name, Class]) => [name, new Class('').code]);
    expect(rows.map(([, , name, code]) => [name, code]).toSorted()).toEqual(codes.toSorted());
  });

  it('has every BerbixErrorCode, and no other', () => {
    // The compiler makes sure that these are the codes of the type.
    expect(rows.map(([, , , code]) => code).toSorted()).toEqual(Object.keys(ANSWERS).toSorted());
  });

  it('has the place to which each line of the log about an error refers', () => {
    for (const [, place, , code = ''] of rows) {
      const error = new berbix.BerbixStoreError('It is down.');
      Object.defineProperty(error, 'code', { value: code });
      expect(logLine('Not saved:', error)).toBe(
        `Not saved: It is down. (${code}, see docs/errors.md#${place})`,
      );
    }
  });
});

describe('the code of docs/errors.md', () => {
  it('distinguishes errors', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    expect(await firstValueFrom(refreshIfPossible(tokens, 'rt_unknown'))).toBeUndefined();
    sandbox.faults.add({ kind: 'status', status: 401 });
    await expect(firstValueFrom(refreshIfPossible(tokens, 'rt_any'))).rejects.toThrow('apiSecret');
  });
});

describe('docs/sandbox.md', () => {
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

  it('has every kind of fault, and no other', () => {
    const section = pageOf('sandbox').split('\n### Faults\n')[1] ?? '';
    const listed = [...section.matchAll(/^\| `([a-z-]+)` /gm)].map(([, kind]) => kind);
    expect(listed).toEqual(FAULT_KINDS);
  });

  it('has the kinds of the console, except one that needs a whole answer', () => {
    const source = readFileSync('lib/sandbox/console/faults/descriptions.ts', 'utf8');
    const kinds = [...source.matchAll(/kind: '([a-z-]+)',\s+title:/g)].map(([, kind]) => kind);
    expect(kinds.toSorted()).toEqual(FAULT_KINDS.filter((kind) => kind !== 'answer').toSorted());
  });

  it('has every request of the control API, and no other', () => {
    const listed = [...pageOf('sandbox').matchAll(/^\| `([A-Z]+ \/sandbox\S*)`/gm)];
    const requests = controlOperations().map(({ method, path }) => `${method} ${path}`);
    expect(listed.map(([, request]) => request)).toEqual(requests);
  });

  describeWith('curl', findOnPath('curl') !== undefined)('its walk', () => {
    it('goes through a hosted verification with curl', async () => {
      const walk = /```sh\n(# In another terminal: npx nestjs-berbix sandbox (.*)\n[^]*?)```/;
      const [, script = '', flags = ''] = walk.exec(pageOf('sandbox')) ?? [];
      const parsed = parseSandboxFlags(flags.split(' '));
      if (!('options' in parsed)) throw new Error('The first line of the page has invalid flags.');
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
