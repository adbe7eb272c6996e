export {
  checkHooks,
  freshnessSettings,
  mayRepeat,
  type BerbixFreshnessOptions,
  type BerbixTokenOptions,
  type FreshnessSettings,
  type RotatedTokens,
  type TokenOwner,
} from './freshness.options.js';
export { tellOfRotation } from './rotation-hook.js';
export { isLeeway, suits, type TokenGoal } from './token-goal.js';
export { TokenKeeper } from './token-keeper.js';
export { hasUntold, nameOf, recordOf, type Reference, type TokenRecord } from './token-record.js';
export { keyFor, referencesOf, tokensAt } from './token-lookup.js';
export type { TokenQuery } from './token-records.js';
export type { Exchange } from './token-renewal.js';
