import { describe, expect, it } from '@jest/globals';
import { toApiJson } from '../../lib/sandbox/http/api-json.js';

describe('toApiJson', () => {
  it('writes integers with all of their digits', () => {
    expect(toApiJson({ id: 9_223_372_036_854_775_807n })).toBe('{"id":9223372036854775807}');
    expect(toApiJson([0n, -5n])).toBe('[0,-5]');
  });

  it('does not change strings that look like numbers', () => {
    const value = {
      a: '9223372036854775807',
      b: '5n',
      c: '"1":2',
      '9': ['"', '\\', '☂', '\u2028'],
    };
    expect(toApiJson(value)).toBe(JSON.stringify(value));
  });

  it('writes everything else as JSON.stringify() does', () => {
    const value = {
      a: null,
      b: [true, false, 1.5, -0, NaN, undefined],
      c: undefined,
      d: {},
      e: [],
    };
    expect(toApiJson(value)).toBe(JSON.stringify(value));
    expect(toApiJson(undefined)).toBe('null');
  });
});
