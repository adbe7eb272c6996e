import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';
import { usualOrLong } from '../support/long.js';

/** The time limit of a build on a busy machine. */
const MAX_MS = 300_000;

/** The size limit of the installed package: code in two formats, types and pages. */
const MAX_BYTES = 2_500_000;

const { files, exports, main, module, types, bin } = JSON.parse(
  readFileSync('package.json', 'utf8'),
) as { files: string[] } & Record<string, unknown>;

/** Every built file that `package.json` names. */
const NAMED = filesIn({ exports, main, module, types, bin });

function filesIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('./dist/') ? [value.slice(2)] : [];
  return Object.values(value ?? {}).flatMap(filesIn);
}

/** A folder with copies, and with what `npm ci` installs. */
function folderWith(...paths: string[]): string {
  const folder = temporaryDirectory();
  const tsconfigs = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.browser.json'];
  for (const path of [...paths, ...tsconfigs, 'package.json', 'scripts']) {
    cpSync(path, join(folder, path), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs a program in a folder. */
function run(folder: string, program: string, ...args: string[]) {
  const ended = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    shell: program === 'npm' && process.platform === 'win32',
    timeout: MAX_MS,
  });
  if (ended.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${ended.stderr}`);
  return ended;
}

describe('npm pack', () => {
  let packed: string[];
  let bytes: number;
  let stderr: string;

  beforeAll(() => {
    const shipped = files.filter((file) => !/^(?:!|lib\b)/.test(file));
    const ended = run(
      folderWith(...shipped, 'lib', 'test/cli'),
      'npm',
      'pack',
      '--dry-run',
      '--json',
    );
    const [listing] = JSON.parse(ended.stdout) as [
      { files: { path: string }[]; unpackedSize: number },
    ];
    packed = listing.files.map(({ path }) => path);
    ({ unpackedSize: bytes } = listing);
    ({ stderr } = ended);
  }, MAX_MS);

  it('builds, and packs what package.json names', () => {
    expect(stderr).toContain('the package (dist)');
    expect(NAMED.length).toBeGreaterThan(20);
    expect(NAMED.filter((file) => !packed.includes(file))).toEqual([]);
    const strangers = /^(test|scripts|node_modules|dist\/[^/]+$)/;
    expect(packed.filter((file) => strangers.test(file))).toEqual([]);
    expect(bytes).toBeLessThan(MAX_BYTES);
  });

  /** What only the repository has. Links to it say so, for those who read the installed pages. */
  const OF_REPOSITORY =
    /^(?:CONTRIBUTING\.md|docs\/(?:guarantees|how-it-is-built|messages|speed)\.md|lib\/.*\.md|(?:examples|test)\/.*)$/;

  it('packs every page that its pages link to', () => {
    const pages = packed.filter((file) => file.endsWith('.md'));
    expect(pages).toContain('docs/stores.md');
    for (const page of pages) {
      for (const [line, link] of linksOf(readFileSync(page, 'utf8'))) {
        // npm shows pictures from the repository.
        if (link.endsWith('.png')) continue;
        const target = join(dirname(page), link);
        const isThere = packed.some((file) => file === target || file.startsWith(`${target}/`));
        const isGood = OF_REPOSITORY.test(target) ? /\brepository\b/.test(line) : isThere;
        expect({ [`${page}: ${link}`]: isGood }).toEqual({ [`${page}: ${link}`]: true });
      }
    }
  });
});

/** The relative links of a page, each with its paragraph. */
function linksOf(page: string): (readonly [string, string])[] {
  return page
    .split('\n')
    .flatMap((line) =>
      [...line.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(
        ([, link = '']) => [line, link] as const,
      ),
    );
}

/** The modules that the build bundles, without what is in them. */
function writeStubs(folder: string): void {
  const entries = NAMED.flatMap((file) => /^dist\/esm\/(.*)\.js$/.exec(file)?.[1] ?? []);
  for (const file of [...entries.map((entry) => `${entry}.ts`), ...CONSOLE]) {
    const path = join(folder, 'lib', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.endsWith('.css') ? '' : 'export {};');
  }
}

const CONSOLE = ['sandbox/console/main.tsx', 'sandbox/console/console.css'];

describe('the build', () => {
  it(
    'makes all that package.json names, and says so; the second time it does not build again',
    () => {
      const folder = folderWith(...usualOrLong([], ['lib']));
      usualOrLong(writeStubs, () => {})(folder);
      const build = () => run(folder, process.execPath, 'scripts/build.mjs').stderr;
      expect(build()).toMatch(/^Building the package \(dist\) \.\.\.\nBuilt in [\d.]+ s\.\n$/);
      expect(NAMED.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
      expect(build()).toBe('Up to date: the package (dist)\n');
    },
    2 * MAX_MS,
  );
});
