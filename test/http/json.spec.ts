import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../lib/wire/index.js';

describe('parseJson()', () => {
  it.each([
    ['{"id":9007199254740993}', { id: '9007199254740993' }],
    ['{"id":-9007199254740993}', { id: '-9007199254740993' }],
    ['[9223372036854775807]', ['9223372036854775807']],
    ['{"id":9007199254740991}', { id: 9007199254740991 }],
    ['{"id":1234123412341234}', { id: 1234123412341234 }],
    ['{"a":"9007199254740993"}', { a: '9007199254740993' }],
    [
      '{"a":"x: 9007199254740993, \\" 9007199254740993"}',
      { a: 'x: 9007199254740993, " 9007199254740993' },
    ],
    ['{"9007199254740993":1}', { '9007199254740993': 1 }],
    [
      '[0.90071992547409931, 9007199254740993e3, 1.5]',

      [Number('0.90071992547409931'), Number('9007199254740993e3'), 1.5],
    ],
  ])('%s', (text, expected) => {
    expect(parseJson(text)).toEqual(expected);
  });

  it('equals JSON.parse for all values that JavaScript can represent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        fc.pre(!/9\d{15}|\d{17}/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps every 64-bit integer, at any position', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.string(),
        (id, text) => {
          const json = `{"text":${JSON.stringify(text)}, "ids" : [ ${id} ,{"id":${id}}]}`;
          const parsed = parseJson(json) as { text: string; ids: [unknown, { id: unknown }] };
          expect(parsed.text).toBe(text);
          expect(String(parsed.ids[0])).toBe(String(id));
          expect(String(parsed.ids[1].id)).toBe(String(id));
        },
      ),
    );
  });

  it('keeps every 64-bit integer, however deeply it is nested', () => {
    const depth = 10_000;
    let value = parseJson(`${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`);
    for (let level = 0; level < depth; level++) [value] = value as [unknown];
    expect(value).toBe('9007199254740993');
  });

  it.each(['', '{', '{"a":01}', '<html>', '{"a":9007199254740993'])('throws on %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
