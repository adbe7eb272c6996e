import { readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { temporaryDirectory } from '../support/directories.js';
import { ENTRIES } from './support/entries.js';

const filesIn = (folder: string, extension: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(folder, file));

/** Every JSDoc comment of a file. */
function commentsOf(file: string): ts.JSDoc[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.ES2022,
    true,
  );
  const comments: ts.JSDoc[] = [];
  const visit = (node: ts.Node): void => {
    comments.push(...((node as { jsDoc?: ts.JSDoc[] }).jsDoc ?? []));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return comments;
}

describe('what an editor shows', () => {
  const TAGS = new Set([
    'param',
    'returns',
    'throws',
    'example',
    'default',
    'deprecated',
    'internal',
    'see',
    'module',
  ]);

  it.each(filesIn('lib', '.ts'))('is not truncated by an @ that is not a tag: %s', (file) => {
    const tags = commentsOf(file).flatMap((comment) => comment.tags ?? []);
    const unknown = tags.map(({ tagName }) => tagName.text).filter((tag) => !TAGS.has(tag));
    expect(unknown).toEqual([]);
  });
});

describe.each(['esm', 'cjs'])('the published types (%s)', (format) => {
  const files = filesIn(`dist/${format}`, '.d.ts');

  it('have no internal members, and no source tags', () => {
    expect(files.length).toBeGreaterThan(ENTRIES.length);
    for (const file of files) {
      const types = readFileSync(file, 'utf8');
      expect([file, types.match(/@internal|\[(?:doc|sdk|3p)\b[^\]]*\]/)]).toEqual([file, null]);
      // A sentence that lost its end to a tag on a line of its own.
      expect([file, types.match(/^\s*\*[.,;].*$/m)]).toEqual([file, null]);
    }
  });
});

describe('a consumer', () => {
  let folder: string;

  beforeAll(async () => {
    folder = temporaryDirectory();
    await mkdir(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/nestjs-berbix'), 'dir');
  });

  /** The older module resolution of CommonJS projects, and the newer ones. */
  it.each([
    ['node10', ts.ModuleKind.CommonJS, ts.ModuleResolutionKind.Node10],
    ['node16', ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
    ['bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  ])('finds every subpath: %s', (_name, module, moduleResolution) => {
    for (const { name } of ENTRIES) {
      const { resolvedModule } = ts.resolveModuleName(
        name,
        join(folder, 'index.ts'),
        { module, moduleResolution },
        ts.sys,
      );
      const found = resolvedModule?.resolvedFileName.replaceAll('\\', '/');
      expect([name, found]).toEqual([
        name,
        expect.stringMatching(/\/dist\/(?:cjs|esm)\/.*\.d\.ts$/),
      ]);
    }
  });
});
