/**
 * For stores of your own, and for scripts that work on a store.
 *
 * @module nestjs-berbix/token-store
 */

export {
  BerbixTokenStore,
  type Lease,
  type RecordRevision,
  type StoredRecord,
} from './berbix-token-store.js';
export {
  reencryptTokens,
  type ReencryptionCounts,
  type ReencryptionOptions,
} from './encryption/reencrypt-tokens.js';
