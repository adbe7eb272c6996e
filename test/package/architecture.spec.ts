import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const LIB = resolve('lib');

/** A folder, or a group of files, in the table of a README: its name, its parts, and the folders that it imports. */
interface Folder {
  name: string;
  parts: string[];
  imported: string[];
}

/** The table of folders in a README: each has the name of its first folder or file. */
function foldersIn(readme: string): Folder[] {
  const rows = readFileSync(readme, 'utf8').matchAll(/^\| (`[^|]+?) +\|.*\| (.*?) +\|$/gm);
  return [...rows].map(([, cell = '', imported = '']) => {
    const parts = [...cell.matchAll(/`([^`]+)`/g)].map(([, part = '']) => part);
    return {
      name: /^[\w-]+/.exec(parts[0] ?? '')?.[0] ?? '',
      parts,
      imported: imported === 'nothing' ? [] : imported.split(', '),
    };
  });
}

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.tsx?$/.test(file),
);
const textOf = (file: string): string => readFileSync(join(LIB, file), 'utf8');
const linesOf = (file: string): number => textOf(file).split('\n').length - 1;
const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** The files of lib/ that a file imports, including types. */
function importsOf(file: string): string[] {
  const paths = textOf(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g);
  return [...paths].map(([, path]) => {
    const name = relative(LIB, resolve(LIB, dirname(file), path as string));
    return existsSync(join(LIB, `${name}.ts`)) ? `${name}.ts` : `${name}.tsx`;
  });
}

/** The first import cycle, as a path; empty if there is none. */
function cycleIn(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** The folders of lib, and those of the sandbox, which is a program of its own. */
const PROGRAMS = [
  { root: '', readme: 'lib/README.md', ignored: /^version\.ts$/ },
  { root: 'sandbox/', readme: 'lib/sandbox/README.md', ignored: /^$/ },
].map(({ root, readme, ignored }) => {
  const folders = foldersIn(readme);
  const own = files
    .filter((file) => file.startsWith(root))
    .map((file) => file.slice(root.length))
    .filter((file) => !ignored.test(file));
  /** The folder of a file; the first part of its path if the README has none for it. */
  const folderOf = (file: string): string => {
    const folder = folders.find(({ parts }) =>
      parts.some((part) => file === part || file.startsWith(part) || matchesPattern(file, part)),
    );
    return folder?.name ?? file.split('/')[0] ?? '';
  };
  const importedBy = (file: string): string[] =>
    (imports.get(root + file) ?? [])
      .filter((path) => path.startsWith(root))
      .map((path) => path.slice(root.length))
      .filter((path) => !ignored.test(path));
  return { name: `lib/${root}`, folders, own, folderOf, importedBy };
});

/** `berbix.*.ts` stands for every file in lib/ itself. */
function matchesPattern(file: string, part: string): boolean {
  return part.includes('*') && !file.includes('/');
}

describe.each(PROGRAMS)('$name', ({ folders, own, folderOf, importedBy }) => {
  it('has the folders of its README', () => {
    const found = new Set(own.map(folderOf));
    expect(folders.map(({ name }) => name).toSorted()).toEqual([...found].toSorted());
  });

  it.each(folders)(
    '$name imports only from the folders below it that its README lists',
    ({ name, imported }) => {
      const found = own.filter((file) => folderOf(file) === name).flatMap(importedBy);
      const others = new Set(found.map(folderOf).filter((other) => other !== name));
      expect([...others].toSorted()).toEqual(imported.toSorted());
      const names = folders.map((folder) => folder.name);
      expect(names.slice(names.indexOf(name) + 1)).toEqual(expect.arrayContaining(imported));
    },
  );
});

describe('lib/sandbox/README.md', () => {
  it('names files that exist', () => {
    const text = readFileSync('lib/sandbox/README.md', 'utf8');
    const named = [...text.matchAll(/`([a-z][\w/.-]*\.ts)`/g)].map(([, name = '']) => name);
    const places = (name: string) => [`sandbox/${name}`, `sandbox/openapi/${name}`];
    const sources = new Set(files);
    const specs = new Set(named.filter((name) => name.startsWith('test/')).filter(existsSync));
    const missing = named.filter(
      (name) => !specs.has(name) && !places(name).some((place) => sources.has(place)),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });
});

describe('lib', () => {
  it('has no cycle of imports', () => {
    expect(cycleIn(imports)).toEqual([]);
  });

  it('has files that can be read in one sitting', () => {
    const isLong = (file: string): boolean =>
      linesOf(file) > (file.startsWith('sandbox/') ? 330 : 300);
    expect(files.filter(isLong)).toEqual([]);
  });

  it('has no file of a few lines, except those that list exports', () => {
    const others = files.filter((file) => !/(?:index|public-api|version)\.ts$/.test(file));
    const isShort = (file: string): boolean =>
      linesOf(file) < (file.startsWith('sandbox/') ? 30 : 15);
    expect(others.filter(isShort)).toEqual([]);
  });
});
