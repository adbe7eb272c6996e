/**
 * Test runners compare own enumerable properties. An object with private secrets has none, so any two
 * would be equal. This property has a symbol as its key, which `Object.keys`, JSON, structuredClone and
 * serializers skip. `Symbol.for`, so that two copies of this package agree.
 */
const COMPARED: unique symbol = Symbol.for('berbix:tokens') as never;

/**
 * Lets test runners compare the target by what the getter returns; a runner may print it. The
 * getter runs when a value is compared, and it must be the same function for all objects of a class.
 */
export function compareBy<T extends object>(target: T, get: (this: T) => unknown): void {
  Object.defineProperty(target, COMPARED, { get, enumerable: true });
}

/** Lets test runners compare the target by its tokens too. */
export function compareByTokens(target: { readonly tokens: unknown }): void {
  compareBy(target, tokensOf);
}

function tokensOf(this: { readonly tokens: unknown }): unknown {
  return this.tokens;
}
