import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { schemasOfApplication, type Schema } from '../support/dto-schemas.js';

/*
 * What @nestjs/swagger says about the DTO classes in an application, and what the classes say: types,
 * what is optional, enums, and descriptions, which are the docstrings.
 */

const program = ts.createProgram(['lib/index.ts'], {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  experimentalDecorators: true,
  types: ['node'],
});
const checker = program.getTypeChecker();
const exported = checker
  .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile('lib/index.ts')!)!)
  .map((symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
  );
const classes = exported.filter(
  ({ name, flags }) => name.endsWith('Dto') && (flags & ts.SymbolFlags.Class) !== 0,
);

/** The schema that a class should have. */
function schemaOfClass(symbol: ts.Symbol): Schema {
  return schemaOfMembers(checker.getDeclaredTypeOfSymbol(symbol));
}

function schemaOfMembers(type: ts.Type): Schema {
  const members = checker
    .getPropertiesOfType(type)
    .filter(({ flags, name }) => flags & ts.SymbolFlags.Property && !/^(?:__)?#/.test(name));
  const required = members.filter(({ flags }) => !(flags & ts.SymbolFlags.Optional));
  return {
    type: 'object',
    properties: Object.fromEntries(
      members.map((member) => [
        member.name,
        { ...schemaOfType(checker.getTypeOfSymbol(member)), description: docstringOf(member) },
      ]),
    ),
    ...(required.length > 0 && { required: required.map(({ name }) => name) }),
  };
}

function schemaOfType(type: ts.Type): Schema {
  const parts = (type.isUnion() ? type.types : [type]).filter(
    ({ flags }) => !(flags & ts.TypeFlags.Undefined),
  );
  const others = parts.filter(({ flags }) => !(flags & ts.TypeFlags.Null));
  if (others.length < parts.length) {
    return { ...schemaOfType(checker.getNonNullableType(type)), nullable: true };
  }
  if (others.every((part) => part.isStringLiteral())) {
    return { type: 'string', enum: others.map(({ value }) => value).toSorted() };
  }
  if (others.every(({ flags }) => flags & ts.TypeFlags.BooleanLike)) return { type: 'boolean' };
  const [only = type] = others;
  expect([checker.typeToString(type), others.length]).toEqual([expect.any(String), 1]);
  if (only.flags & ts.TypeFlags.Unknown) return { type: 'object', additionalProperties: true };
  if (only.flags & ts.TypeFlags.String) return { type: 'string' };
  if (only.flags & ts.TypeFlags.Number) return { type: 'number' };
  if (checker.isArrayType(only)) {
    const [item] = checker.getTypeArguments(only as ts.TypeReference);
    return { type: 'array', items: schemaOfType(item!) };
  }
  if (only.symbol.name === 'Date') return { type: 'string', format: 'date-time' };
  if (only.isClass()) return { $ref: `#/components/schemas/${only.symbol.name}` };
  const values = checker.getIndexTypeOfType(only, ts.IndexKind.String);
  if (values === undefined) return schemaOfMembers(only);
  const isAny = (values.flags & ts.TypeFlags.Unknown) !== 0;
  return { type: 'object', additionalProperties: isAny ? true : schemaOfType(values) };
}

/** In one line, without tags that name a source. */
function docstringOf(member: ts.Symbol): string {
  return ts
    .displayPartsToString(member.getDocumentationComment(checker))
    .replaceAll(/\s*\[(?:doc|sdk|3p):[^\]]*\]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const schemas = await schemasOfApplication();

/** What types do not say. */
const BEYOND_TYPES = new Set(['pattern', 'minLength', 'maxLength', 'minimum']);

/** Without what the types do not say; enums in a known order. */
function comparable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(comparable);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    if (BEYOND_TYPES.has(key)) return [];
    if (key === 'format' && value !== 'date-time') return [];
    if (key === 'additionalProperties' && value === false) return [];
    if (key === 'enum') return [[key, value.toSorted()]];
    if (value === 'integer') return [[key, 'number']];
    // Beside a description.
    if (key === 'allOf') return Object.entries(value[0]);
    return [[key, comparable(value)]];
  });
  return Object.fromEntries(entries);
}

describe('the schema for @nestjs/swagger', () => {
  it.each(classes.map((symbol) => [symbol.name, symbol]))(
    'of %s is that of the class',
    (name, symbol) => {
      expect(comparable(schemas[name as string])).toEqual(schemaOfClass(symbol as ts.Symbol));
    },
  );

  it('describes every field', () => {
    const text = JSON.stringify(schemas);
    expect(text).not.toContain('"description":""');
    expect(classes.length).toBeGreaterThan(12);
  });

  it.each([
    ['CreateTransactionDto', 'email', 'email'],
    ['CreateHostedTransactionDto', 'redirectUrl', 'uri'],
    ['VerificationStartDto', 'hostedUrl', 'uri'],
    ['VerificationStartDto', 'expiresAt', 'date-time'],
  ])('of %s has the format of %s', (name, field, format) => {
    expect(schemas[name]).toHaveProperty(['properties', field, 'format'], format);
  });
});
