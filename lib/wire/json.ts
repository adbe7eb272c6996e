/** The next string or number of a JSON text; only these can have digits. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * JSON.parse that loses no digits: an integer above 2^53 becomes a string of its digits. JavaScript
 * would round it silently, and the API's ids are 64-bit integers. [sdk: go int64]
 *
 * @throws {SyntaxError} with a message that quotes the text; do not pass it on (I10)
 */
export function parseJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  return hasUnsafeNumber(parsed)
    ? JSON.parse(text.replace(STRING_OR_NUMBER, quoteIfUnsafe))
    : parsed;
}

/**
 * Rounding an integer above 2^53 never makes it smaller than that. A list instead of recursion:
 * values may be nested more deeply than the stack allows.
 */
function hasUnsafeNumber(root: unknown): boolean {
  const values = [root];
  for (const value of values) {
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const member of Object.values(value)) values.push(member);
  }
  return false;
}

function quoteIfUnsafe(token: string): string {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
