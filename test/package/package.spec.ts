import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { VERSION } from '../../lib/version.js';

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

/** Runs a program that uses the built package like an application. */
function node(source: string, type: 'commonjs' | 'module', ...flags: string[]): string {
  // It ends before it is worth optimizing.
  const args = ['--no-opt', ...flags, `--input-type=${type}`, '-e', source];
  return execFileSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/**
 * What an ES module logs as JSON, and the URLs of the modules that are loaded before the first line of
 * that: by ES modules, and the first ones that these require.
 */
function run(source: string): { logged: unknown[]; loaded: string[] } {
  const hook = `
    import { writeSync } from 'node:fs';
    export function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hook))});`;
  const lines = node(source, 'module', '--import', dataUrl(register)).split('\n');
  const isLogged = (line: string): boolean => line.startsWith('{');
  const logged = lines.filter(isLogged).map((line): unknown => JSON.parse(line));
  return { logged, loaded: lines.slice(0, lines.findIndex(isLogged)) };
}

const dataUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

describe('the package', () => {
  it('has one version', () => {
    expect(VERSION).toBe(manifest.version);
  });

  it('has at most four runtime dependencies', () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(4);
  });

  it('imports what it declares: dependencies and peers, and optional ones only in the sandbox, a command and an entry', () => {
    // What the console imports is in its bundle.
    const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.startsWith('sandbox/console/'),
    );
    for (const file of files) {
      const source = readFileSync(join('lib', file), 'utf8').replaceAll(
        /^\s*(?:\*|\/\/|\/\*).*$/gm,
        '',
      );
      for (const [, name = ''] of source.matchAll(
        // Those that are indented are samples for users.
        /(?:^(?! ).*\bfrom |^import |\bimport\(\s*)'((?:@[\w-]+\/)?[\w:-][\w./:-]*)'/gm,
      )) {
        const root = name.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? '';
        if (name.startsWith('node:') || builtinModules.includes(root)) continue;
        expect([file, { ...manifest.dependencies, ...manifest.peerDependencies }]).toEqual([
          file,
          expect.objectContaining({ [root]: expect.any(String) }),
        ]);
        if (manifest.peerDependenciesMeta[root]?.optional)
          expect(file).toMatch(/^(sandbox\/|cli\/store\/|health\/terminus)/);
      }
    }
  });
});

describe('the built package', () => {
  const NAMES = [
    'BerbixModule',
    'BerbixTokenService',
    'BerbixTokens',
    'berbixConfig',
    'isBerbixError',
  ];

  it('can be required, and so can the sandbox, in an entry of its own', () => {
    const source = `
      const { BerbixSandbox } = require('nestjs-berbix/sandbox');
      const names = Object.keys(require('nestjs-berbix'));
      console.log(JSON.stringify({ names, start: typeof BerbixSandbox.start }));`;
    expect(JSON.parse(node(source, 'commonjs'))).toEqual({
      names: expect.arrayContaining(NAMES),
      start: 'function',
    });
  });

  it('can be imported, only loads what every application needs, and is one copy for import and require: one class, one injection token', () => {
    const { logged, loaded } = run(`
      import { createRequire } from 'node:module';
      import * as berbix from 'nestjs-berbix';
      console.log(JSON.stringify({ names: Object.keys(berbix) }));
      const required = createRequire(process.cwd() + '/x.js')('nestjs-berbix');
      const isOneCopy = required.BerbixTokenService === berbix.BerbixTokenService;
      console.log(JSON.stringify({ isOneCopy }));`);
    expect(logged).toEqual([{ names: expect.arrayContaining(NAMES) }, { isOneCopy: true }]);
    const packages = new Set(
      loaded.flatMap((url) => url.match(/(?<=node_modules\/)(?:@[^/]+\/)?[^/]+/g)?.at(-1) ?? []),
    );
    expect(packages).toContain('class-validator');
    expect(
      [...packages].filter(
        (name) => name === 'undici' || manifest.peerDependenciesMeta[name]?.optional,
      ),
    ).toEqual([]);
    const own = loaded.filter((url) => url.includes('/dist/esm/'));
    // A bundle names the module of each part.
    const modules = own.flatMap((url) =>
      [...readFileSync(fileURLToPath(url), 'utf8').matchAll(/^\/\/ (.+)\.js$/gm)].map(
        ([, module = '']) => module,
      ),
    );
    expect(modules).toContain('tokens/berbix-token.service');
    expect(modules.filter((name) => /(?:cli|sandbox|testing|postgres|redis)\//.test(name))).toEqual(
      [],
    );
    // Each file that is loaded costs time at the start.
    expect(own.length).toBeLessThan(17);
  });

  it('has a sandbox for import that starts without undici, which only webhooks need, and leaves the promises of its process as fast as they were', () => {
    // Each continuation of a promise that Node.js tracks has an id of its own, and takes longer.
    const { logged, loaded } = run(`
      import { executionAsyncId } from 'node:async_hooks';
      import { BerbixSandbox } from 'nestjs-berbix/sandbox';
      const sandbox = await BerbixSandbox.start();
      await Promise.resolve();
      const before = executionAsyncId();
      await Promise.resolve();
      const isTracked = executionAsyncId() !== before;
      await sandbox.close();
      console.log(JSON.stringify({ isTracked }));`);
    expect(logged).toEqual([{ isTracked: false }]);
    expect(loaded.filter((url) => url.includes('/@nestjs/platform-'))).not.toEqual([]);
    expect(loaded.filter((url) => url.includes('/node_modules/undici/'))).toEqual([]);
  });

  it('has types for its arguments and results', () => {
    for (const format of ['esm', 'cjs']) {
      const types = readFileSync(`dist/${format}/tokens/berbix-token.service.d.ts`, 'utf8');
      expect(types).toContain(
        'refresh(tokens: BerbixTokens | string, callOptions?: BerbixCallOptions): Observable<BerbixTokens>',
      );
      expect(types).toContain('Exchanges the refresh token');
    }
  });
});
