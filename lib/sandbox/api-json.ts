/** What the API can say: JSON, with integers of any size. */
export type ApiJson =
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | readonly ApiJson[]
  | { readonly [name: string]: ApiJson };

/** Content type of every answer of the API. */
export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/**
 * JSON text in which a bigint is an integer with all of its digits. `JSON.stringify` refuses one,
 * and a number above 2^53 loses digits before it gets there. [sdk: go int64]
 */
export function toApiJson(value: ApiJson): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (isList(value)) return `[${value.map(toApiJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${toApiJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: object): value is readonly ApiJson[] {
  return Array.isArray(value);
}
