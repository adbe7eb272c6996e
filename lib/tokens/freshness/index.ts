export {
  checkHooks,
  freshnessSettings,
  mayRepeat,
  type BerbixFreshnessOptions,
  type BerbixTokenOptions,
  type FreshnessSettings,
  type RotatedTokens,
  type TransactionRef,
} from './freshness.options.js';
export { notifyRotation } from './rotation-hook.js';
export { isLeeway, satisfies, type TokenRequirement } from './token-requirement.js';
export { TokenKeeper } from './token-keeper.js';
export {
  hasPendingRotation,
  recordName,
  recordOf,
  type Reference,
  type TokenRecord,
} from './token-record.js';
export { keyFor, referencesOf, tokensAt } from './token-lookup.js';
export type { TokenQuery } from './token-records.js';
export type { Exchange } from './token-renewal.js';
