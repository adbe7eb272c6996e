/**
 * Test runners compare own enumerable properties. Objects with private secrets have none, so any
 * two would be equal. This property has a symbol as its key, which `Object.keys`, JSON,
 * structuredClone and serializers skip. `Symbol.for`, so that two copies of this package agree.
 */
const COMPARED: unique symbol = Symbol.for('berbix:tokens') as never;

/**
 * Lets test runners compare the target by the value of the getter, which they may print. The getter
 * runs when values are compared, and must be the same function for all objects of a class.
 */
export function compareBy<T extends object>(target: T, get: (this: T) => unknown): void {
  Object.defineProperty(target, COMPARED, { get, enumerable: true });
}

/** Lets test runners also compare the target by its tokens. */
export function compareByTokens(target: { readonly tokens: unknown }): void {
  compareBy(target, getTokens);
}

function getTokens(this: { readonly tokens: unknown }): unknown {
  return this.tokens;
}
