export * from './berbix-token.service.js';
export * from './berbix-tokens.js';
export * from './dto/berbix-tokens.dto.js';
export * from './dto/client-token.dto.js';
export * from './dto/refresh-tokens.dto.js';
export { keyFor, recordName, recordOf, referencesOf, tokensAt } from './freshness/index.js';
export type {
  BerbixFreshnessOptions,
  BerbixTokenOptions,
  FreshnessSettings,
  Reference,
  RotatedTokens,
  TransactionRef,
  TokenRecord,
} from './freshness/index.js';
export * from './guard/berbix-tokens.guard.js';
export { FreshTokens } from './guard/guarded-tokens.js';
export { requireUid } from './ids.js';
export { checkTokenAnswer, mergeTokens } from './token-answer.js';
export { getBerbixTokenServiceToken } from './token-service.token.js';
export { isTransactionRef, type TokenRef } from './token-source.js';
export {
  BERBIX_TOKEN_OPTIONS,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
  type BerbixTokenModuleOptions,
} from './token.options.js';
