import { COMMIT_CASES } from './contract/commit.cases.js';
import { CONCURRENCY_CASES } from './contract/concurrency.cases.js';
import type { TokenStoreCase } from './contract/contract-case.js';
import { FORGET_CASES } from './contract/forget.cases.js';
import { KEYS_CASES } from './contract/keys.cases.js';
import { LEASE_CASES } from './contract/lease.cases.js';

/**
 * The contract of a `BerbixTokenStore` as test cases, for the tests of your own store, with
 * any test runner. It cannot test what only a day, a crash or a second clock would show.
 *
 * @example
 * ```ts
 * describe('MyTokenStore', () => {
 *   for (const { name, run } of tokenStoreContract) {
 *     it(name, () => run(new MyTokenStore(pool), new MyTokenStore(anotherPool)));
 *   }
 * });
 * ```
 */
export const tokenStoreContract: readonly TokenStoreCase[] = [
  ...COMMIT_CASES,
  ...LEASE_CASES,
  ...FORGET_CASES,
  ...CONCURRENCY_CASES,
  ...KEYS_CASES,
];
