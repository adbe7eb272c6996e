/** What {@link isPastable} allows, for messages. */
export const PASTABLE_CHARACTERS = 'letters, digits or any of _ . ~ + / = -';

/**
 * Whether a secret can be pasted as it is: the sandbox prints secrets in lines for a `.env` file and
 * in shell commands. A comma would separate two secrets there, a colon the two parts of Basic
 * authentication.
 */
export function isPastable(secret: unknown): secret is string {
  return typeof secret === 'string' && /^[\w.~+/=-]+$/.test(secret);
}
