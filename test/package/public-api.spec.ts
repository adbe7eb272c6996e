import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { built } from '../support/programs.js';
import { ENTRIES } from './support/entries.js';

/** `npm run api:report` writes the reports that this spec compares. */
const IS_UPDATE = process.env['npm_lifecycle_event'] === 'api:report';

/** The folder of the built types, in the compiler's notation. */
const BUILT = `${resolve('dist/cjs').replaceAll('\\', '/')}/`;

const program = ts.createProgram(
  ENTRIES.map(({ types }) => built(types)),
  {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    types: ['node'],
    noEmit: true,
  },
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

/** The exported symbols of an entry by name, resolved to their declarations. */
function exportsOf(entry: string): Map<string, ts.Symbol> {
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  const exported = checker
    .getExportsOfModule(module)
    .map((symbol) => [symbol.name, declared(symbol)] as const);
  return new Map(exported.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function declared(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function statementOf(declaration: ts.Declaration): ts.Node {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
}

/** The declarations of a symbol, without comments and private members. */
function textOf(symbol: ts.Symbol): string {
  return (symbol.declarations ?? [])
    .map((declaration) => {
      const node = statementOf(declaration);
      const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
      return text
        .replaceAll(/^(?:export )?(?:declare )?/gm, '')
        .replaceAll(/^ +(?:#private|private .*);\n/gm, '');
    })
    .join('\n');
}

const exportedAnywhere = new Set(ENTRIES.flatMap(({ types }) => [...exportsOf(types).values()]));

/** What a declaration refers to and no entry exports, without constructor parameters, which Nest injects. */
function unexportedIn(symbol: ts.Symbol): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isConstructorDeclaration(node)) return;
    const named = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (named !== undefined) found.push(declared(named));
    ts.forEachChild(node, visit);
  };
  symbol.declarations?.forEach(visit);
  return found.filter((named) => {
    const [declaration] = named.declarations ?? [];
    const isOurs = declaration?.getSourceFile().fileName.startsWith(BUILT);
    return isOurs && ts.isStatement(statementOf(declaration!)) && !exportedAnywhere.has(named);
  });
}

/** The exports of an entry by name, and then what they refer to. */
function reportOf(exported: Map<string, ts.Symbol>): string {
  const reached = new Set(exported.values());
  for (const symbol of reached) unexportedIn(symbol).forEach((named) => reached.add(named));
  const texts = [...reached].map((symbol) =>
    exported.get(symbol.name) === symbol
      ? textOf(symbol)
      : `// reached, but not exported\n${textOf(symbol)}`,
  );
  return `// ${exported.size} names\n\n${texts.join('\n\n')}\n`;
}

describe.each(ENTRIES)('$name', ({ name, types }) => {
  const exported = exportsOf(types);

  it('exports what the report says; update it with: npm run api:report', () => {
    const file = `test/package/public-api/${name.replace('/', '.')}.txt`;
    const report = reportOf(exported);
    if (IS_UPDATE) writeFileSync(file, report);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(report);
  });
});

describe('the main entry', () => {
  const names = [...exportsOf(ENTRIES[0]!.types).keys()];

  it('exports at most 85 names', () => {
    expect(names.length).toBeLessThanOrEqual(85);
  });

  it('has names with the prefix, or self-explanatory names', () => {
    const isDecorator = /^(?:Require)?FreshTokens(?:Options)?$/;
    const others = names.filter((name) => !/berbix|Dto$|TokenStore$/i.test(name));
    expect(others.filter((name) => !isDecorator.test(name))).toEqual([]);
  });
});

describe('the programs of test/consumers/shared/types', () => {
  /** They need a package or the types of browsers; other projects of test/consumers use them. */
  const others = new Set(['nestjs-berbix/terminus', 'nestjs-berbix/browser']);
  const folder = 'test/consumers/shared/types';
  const bodies = readdirSync(folder)
    .filter((file) => /^program.*\.ts$/.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll(/^import [^;]*;$/gm, ''))
    .join('\n');

  it.each(ENTRIES.filter(({ name }) => !others.has(name)))(
    'use each name of $name',
    ({ types }) => {
      const names = [...exportsOf(types).keys()];
      expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(bodies))).toEqual([]);
    },
  );
});

describe('a consumer with strict options', () => {
  it('has types that match', () => {
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(BUILT));
    const problems = own.flatMap((file) =>
      program
        .getSemanticDiagnostics(file)
        .map(
          ({ messageText }) =>
            `${file.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
        ),
    );
    expect(problems).toEqual([]);
  });

  it('can pass undefined for optional values', () => {
    const exact = [...exportedAnywhere].flatMap(({ name, declarations = [] }) =>
      declarations.flatMap((declaration) => optionalOf(declaration, name)),
    );
    expect(exact).toEqual([]);
  });
});

/** The optional properties that may be missing but not undefined, except those that are only read. */
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
