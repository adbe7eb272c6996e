import type { Transaction } from '../transactions/transaction.js';

/**
 * Where the browser goes after a decision, in characters that a header can hold; `undefined` if
 * nowhere.
 *
 * ASSUMPTION: http and https only, nothing is added to the URL, and nobody is sent there who has not
 * come to the end. [doc: reference/createtransaction]
 */
export function redirectTargetOf({ redirectUrl = '' }: Transaction): string | undefined {
  if (!URL.canParse(redirectUrl)) return undefined;
  const { protocol, href } = new URL(redirectUrl);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}
