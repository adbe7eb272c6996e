import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testNamesIn } from './support/test-names.js';

const FOLDER = 'test/renewal';
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

/** The rows of the table whose first header is this one. */
function tableOf(text: string, header: string): string[][] {
  const [, rows = ''] = new RegExp(`^\\| ${header} +\\|.*\\n.*\\n((?:\\|.*\\n)+)`, 'm').exec(text)!;
  const lines = rows.trimEnd().split('\n');
  return lines.map((line) => line.split('|').slice(1, -1)).map(trimmed);
}

const trimmed = (cells: string[]): string[] => cells.map((cell) => cell.trim());

/** The files of lib/ by the short names that the table of guards uses. */
const FILES = new Map(
  tableOf(readme, 'name').flatMap(([names = '', files = '']) => {
    const paths = [...files.matchAll(/`(.+?)`/g)].map(([, path = '']) => path);
    const folder = dirname(paths[0] as string);
    return names
      .split(', ')
      .map((name, n) => [name, join(folder, paths[n]!.replace(/^.*\//, ''))] as const);
  }),
);

const testNames = new Map<string, string[]>();

/** That a spec has a test with this in its full name. */
function expectTest(spec: string, name: string): void {
  if (!testNames.has(spec)) testNames.set(spec, testNamesIn(`${spec}.spec.ts`));
  expect(testNames.get(spec)).toContainEqual(expect.stringContaining(name));
}

describe('the README of the proof of fresh()', () => {
  it('has the invariants of lib/README.md', () => {
    const invariants = tableOf(readFileSync('lib/README.md', 'utf8'), 'id');
    expect(tableOf(readme, 'id')).toEqual(invariants.map(([id, promise]) => [id, promise]));
  });

  it.each(tableOf(readme, 'guard'))(
    'names where a guard is, and its test: %s',
    (_, where, test) => {
      for (const place of where!.split('; ')) {
        const [, name = '', member = ''] = /^([\w-]+)(?:, `(.+)`)?$/.exec(place) ?? [];
        expect(readFileSync(FILES.get(name) ?? place, 'utf8')).toContain(member);
      }
      for (const quoted of test!.split(/; (?=[\w./-]+: )/)) {
        const [, spec = '', name = ''] = /^([\w./-]+)(?:: (.*))?$/.exec(quoted) ?? [];
        expectTest(join(FOLDER, spec), name);
      }
    },
  );
});

describe('docs/guarantees.md', () => {
  const guarantees = tableOf(readFileSync('docs/guarantees.md', 'utf8'), 'guarantee');

  it.each(guarantees.filter(([guarantee]) => !guarantee!.startsWith('**')))(
    'names the tests of a guarantee: %s',
    (_, tests) => {
      for (const quoted of tests!.split('<br>')) {
        const [, spec = '', name = ''] =
          /^`([\w/-]+)`(?:: (.+)|, in each test)$/.exec(quoted) ?? [];
        expectTest(join('test', spec), name);
      }
    },
  );
});

describe('docs/how-it-is-built.md', () => {
  it('names files that exist', () => {
    const page = readFileSync('docs/how-it-is-built.md', 'utf8');
    const paths = [...page.matchAll(/`((?:lib|test|examples|scripts)\/[\w./-]+)`/g)];
    expect(paths.length).toBeGreaterThan(20);
    for (const [, path = ''] of paths) expect([path, existsSync(path)]).toEqual([path, true]);
  });
});

describe('test/README.md', () => {
  const text = readFileSync('test/README.md', 'utf8');
  const pathsOf = (cell = ''): string[] =>
    [...cell.matchAll(/`(.+?)`/g)].map(([, path = '']) => path);

  it('has a row for each folder of lib', () => {
    const rows = tableOf(text, 'changed in `lib/`').flatMap(([folder]) => pathsOf(folder));
    const folders = readdirSync('lib', { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(rows.filter((row) => row.endsWith('/'))).toEqual(
      folders.map(({ name }) => `${name}/`).toSorted(),
    );
  });

  it('names tests that exist', () => {
    const specs = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .map((file) => join('test', file).replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.spec.ts'));
    const named = tableOf(text, 'changed in `lib/`').flatMap(([, tests]) => pathsOf(tests));
    expect(named.filter((path) => !specs.some((spec) => spec.startsWith(path)))).toEqual([]);
    const folders = tableOf(text, 'folder').flatMap(([folder]) => pathsOf(folder));
    expect(folders.filter((folder) => !existsSync(join('test', folder)))).toEqual([]);
  });
});

describe('the states of a record in lib/README.md', () => {
  it('are those in decide.ts', () => {
    const [, diagram = ''] = /^```text\n( ABSENT\n[^]*?)^```$/m.exec(
      readFileSync('lib/README.md', 'utf8'),
    )!;
    const comment = readFileSync('lib/renewal/decide.ts', 'utf8').replaceAll(/^ \* ?/gm, '');
    expect(comment).toContain(diagram);
  });
});
