export { BerbixTokens, defaultLeewayMs, type BerbixTokensInit } from './berbix-tokens.js';
export { hasLoneSurrogate, isTransactionId, requireUid } from './ids.js';
export { isRefreshToken, isToken } from './refresh-token.js';
export {
  TOKEN_REF_EXPECTED,
  isTransactionRef,
  requireTransactionRef,
  type BerbixTokenRef,
  type BerbixTransactionRef,
} from './token-ref.js';
