import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const SUBPATHS = ['', '/sandbox', '/postgres', '/redis', '/testing'];

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
  const TAGS = new Set(['param', 'returns', 'throws', 'example', 'default', 'internal', 'see']);

  it.each(filesIn('lib', '.ts'))('is not cut by an @ that is no tag: %s', (file) => {
    const tags = commentsOf(file).flatMap((comment) => comment.tags ?? []);
    const unknown = tags.map(({ tagName }) => tagName.text).filter((tag) => !TAGS.has(tag));
    expect(unknown).toEqual([]);
  });
});

describe.each(['esm', 'cjs'])('the published types (%s)', (format) => {
  const files = filesIn(`dist/${format}`, '.d.ts');

  it('have no internal member, and no tag that says where a statement comes from', () => {
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const types = readFileSync(file, 'utf8');
      expect([file, types.match(/@internal|\[(?:doc|sdk|3p)\b[^\]]*\]/)]).toEqual([file, null]);
      // A sentence whose end was a tag of its own line.
      expect([file, types.match(/^\s*\*[.,;].*$/m)]).toEqual([file, null]);
    }
  });
});

describe('a consumer', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-berbix-types-'));
    await mkdir(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/nestjs-berbix'), 'dir');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** How the subpaths are found by the older resolution of CommonJS projects, and by the newer one. */
  it.each([
    ['node10', ts.ModuleKind.CommonJS, ts.ModuleResolutionKind.Node10],
    ['node16', ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
    ['bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  ])('finds every subpath: %s', (_name, module, moduleResolution) => {
    for (const subpath of SUBPATHS) {
      const { resolvedModule } = ts.resolveModuleName(
        `nestjs-berbix${subpath}`,
        join(folder, 'index.ts'),
        { module, moduleResolution },
        ts.sys,
      );
      const found = resolvedModule?.resolvedFileName.replaceAll('\\', '/');
      expect([subpath, found]).toEqual([
        subpath,
        expect.stringMatching(/\/dist\/(?:cjs|esm)\/.*index\.d\.ts$/),
      ]);
    }
  });

  it('can give undefined for what is optional, and the types fit each other', () => {
    const entries = ['', 'sandbox/', 'token-store/postgres/', 'token-store/redis/', 'testing/'];
    const roots = entries.map((entry) => resolve(`dist/cjs/${entry}index.d.ts`));
    const program = ts.createProgram(roots, {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      strict: true,
      exactOptionalPropertyTypes: true,
      experimentalDecorators: true,
      types: ['node'],
      noEmit: true,
    });
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.includes('/dist/cjs/'));
    const problems = own.flatMap((file) =>
      program
        .getSemanticDiagnostics(file)
        .map(
          ({ messageText }) =>
            `${file.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
        ),
    );
    expect(problems).toEqual([]);

    const checker = program.getTypeChecker();
    const exact = roots.flatMap((root) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(root)!)!;
      return checker.getExportsOfModule(module).flatMap((exported) => {
        const { flags, name } = exported;
        const symbol = flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        return (symbol.declarations ?? []).flatMap((declaration) => optionalOf(declaration, name));
      });
    });
    expect(exact).toEqual([]);
  });
});

/** The optional properties that may be left out, but not be undefined; those that are only read are left out. */
function optionalOf(declaration: ts.Node, name: string): string[] {
  if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) return [];
  return [...declaration.members].flatMap((member) => {
    if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) return [];
    const isRead = member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword);
    if (member.questionToken === undefined || isRead) return [];
    const type = member.type?.getText() ?? '';
    return /\bundefined\b|^unknown$/.test(type)
      ? []
      : [`${name}.${member.name.getText()}: ${type}`];
  });
}
