import { AT_ONCE_CASES } from './contract/at-once.cases.js';
import { COMMIT_CASES } from './contract/commit.cases.js';
import type { TokenStoreCase } from './contract/contract-case.js';
import { FORGET_CASES } from './contract/forget.cases.js';
import { KEYS_CASES } from './contract/keys.cases.js';
import { LEASE_CASES } from './contract/lease.cases.js';

/**
 * All that the services of this package rely on in a {@link BerbixTokenStore}, case by case, for the
 * tests of a store of your own. Needs no test runner. What takes a day, a crash or a second clock to
 * see is not tested.
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
  ...AT_ONCE_CASES,
  ...KEYS_CASES,
];
