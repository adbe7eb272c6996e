// `nestjs-berbix/token-store`: for stores of your own, and for scripts that work on a store.
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
