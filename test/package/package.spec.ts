import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
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
function node(source: string, type: 'commonjs' | 'module'): string {
  return execFileSync(process.execPath, [`--input-type=${type}`, '-e', source], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  }).trim();
}

/** The URLs of the modules that an ES module loads, and of the first modules that these require. */
function loadedBy(source: string): string[] {
  const hook = `
    import { writeSync } from 'node:fs';
    export function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hook))});`;
  const args = ['--import', dataUrl(register), '--input-type=module', '-e', source];
  return execFileSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  }).split('\n');
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

describe('the packed package', () => {
  /** The files that npm would publish. */
  const packed = (): string[] => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const [listing] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as [
      { files: { path: string }[] },
    ];
    return listing.files.map(({ path }) => path);
  };

  /** For those who clone the repository, where the sources are, and tests and examples can be run. */
  const OF_REPOSITORY =
    /^(?:CONTRIBUTING\.md|docs\/(?:guarantees|how-it-is-built|messages)\.md|(?:examples|test)\/.*)$/;

  it('has every page that its pages link to', () => {
    const files = packed();
    const pages = files.filter((file) => file.endsWith('.md'));
    expect(pages).toContain('docs/stores.md');
    for (const page of pages) {
      for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(
        /\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g,
      )) {
        // npm shows pictures from the repository.
        if (link.endsWith('.png')) continue;
        const target = join(dirname(page), link);
        if (OF_REPOSITORY.test(target)) continue;
        const isThere = files.some((file) => file === target || file.startsWith(`${target}/`));
        expect({ [`${page}: ${link}`]: isThere }).toEqual({ [`${page}: ${link}`]: true });
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

  it('can be imported', () => {
    const source = `import * as berbix from 'nestjs-berbix'; console.log(JSON.stringify(Object.keys(berbix)))`;
    expect(JSON.parse(node(source, 'module'))).toEqual(expect.arrayContaining(NAMES));
  });

  it('can be required', () => {
    const source = `console.log(JSON.stringify(Object.keys(require('nestjs-berbix'))))`;
    expect(JSON.parse(node(source, 'commonjs'))).toEqual(expect.arrayContaining(NAMES));
  });

  it('is one copy for import and require: one class, one injection token', () => {
    const source = `
      import { createRequire } from 'node:module';
      import { BerbixTokenService } from 'nestjs-berbix';
      const required = createRequire(process.cwd() + '/x.js')('nestjs-berbix');
      console.log(required.BerbixTokenService === BerbixTokenService);`;
    expect(node(source, 'module')).toBe('true');
  });

  it('has the sandbox in an entry of its own, for import and require', () => {
    const load = `console.log(typeof (SANDBOX).BerbixSandbox.start)`;
    expect(node(load.replace('SANDBOX', `await import('nestjs-berbix/sandbox')`), 'module')).toBe(
      'function',
    );
    expect(node(load.replace('SANDBOX', `require('nestjs-berbix/sandbox')`), 'commonjs')).toBe(
      'function',
    );
  });

  it('only loads what every application needs', () => {
    const loaded = loadedBy(`import 'nestjs-berbix';`);
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
    expect(own.length).toBeLessThan(15);
  });

  it('starts a sandbox without undici, which only webhooks need', () => {
    const loaded = loadedBy(`
      import { BerbixSandbox } from 'nestjs-berbix/sandbox';
      await (await BerbixSandbox.start()).close();`);
    expect(loaded.filter((url) => url.includes('/@nestjs/platform-'))).not.toEqual([]);
    expect(loaded.filter((url) => url.includes('/node_modules/undici/'))).toEqual([]);
  });

  it('has a sandbox that leaves the promises of its process as fast as they were', () => {
    // Each continuation of a promise that Node.js tracks has an id of its own, and takes longer.
    const program = `
      import { executionAsyncId } from 'node:async_hooks';
      import { BerbixSandbox } from 'nestjs-berbix/sandbox';
      await BerbixSandbox.start();
      await Promise.resolve();
      const before = executionAsyncId();
      await Promise.resolve();
      console.log(executionAsyncId() === before);
      process.exit();`;
    expect(node(program, 'module')).toBe('true');
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
