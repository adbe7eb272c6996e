/** A string or a number of a JSON text, whichever comes first; nothing else in one has digits. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Quick test for an integer that may lie beyond 2^53. */
const LONG_DIGITS = /9\d{15}|\d{17}/;

/**
 * JSON.parse that never loses digits: an integer beyond 2^53 comes as the string of its digits.
 * JavaScript rounds such numbers silently, and the API's ids are 64-bit integers. [sdk: go int64]
 *
 * @throws {SyntaxError} whose message quotes the text; do not pass it on
 */
export function parseJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (!LONG_DIGITS.test(text)) return parsed;
  return JSON.parse(text.replace(STRING_OR_NUMBER, quoteIfUnsafe));
}

function quoteIfUnsafe(token: string): string {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
