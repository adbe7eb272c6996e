/**
 * Test runners compare own enumerable properties. Where secrets are private there are none, and any
 * two values are equal; so there is one more, by a symbol, which `Object.keys`, JSON, structuredClone
 * and serializers leave out.
 */
const COMPARED = Symbol('tokens');

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
