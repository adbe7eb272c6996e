export { BACKOFF_LIMIT_MS, DEAD_LIMIT_MS } from './clock-steps.js';
export { CustomerIndex, type CustomerLease, type RecordLimits } from './customer-index.js';
export {
  exchangeTimes,
  localTokens,
  storeTime,
  tokensToPresent,
  validityOf,
  type LocalTokens,
  type Validity,
} from './local-tokens.js';
export { HOOK, callHook } from './hook.js';
export { otherReplicaTimeoutError } from './record-errors.js';
export { isAnonymous, isNameOfRefreshToken, keyFor, recordName, refNamed } from './record-names.js';
export {
  mergeOnto,
  recordAfter,
  recordRemembered,
  withSuccessor,
  type Exchanged,
} from './settle.js';
export { TokenIntake } from './token-intake.js';
export { TokenLoader, type LoadTokens } from './token-loader.js';
export {
  hasTokens,
  isReference,
  recordAt,
  resolveRecord,
  type NamedRecord,
  type Reference,
  type SeenTokens,
} from './token-lookup.js';
export { TokenNames } from './token-names.js';
export { queryOf, refQuery, type TokenQuery } from './token-query.js';
export { leadsToPendingRotation, nextRefreshToken, type TokenRecord } from './token-record.js';
export { TokenRecords, type FoundTokens } from './token-records.js';
export { TokenRemoval, type Removal } from './token-removal.js';
