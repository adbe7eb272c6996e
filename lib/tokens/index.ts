export type { BerbixCallOptions } from '../concurrency/index.js';
export * from './berbix-token.service.js';
export type { FreshTokensOptions } from './fresh-tokens.options.js';
export { FreshTokens } from './guard/guarded-tokens.js';
export { StoreReport } from './store-report.js';
export { checkTokenAnswer, mergeTokens } from './token-answer.js';
export {
  BERBIX_TOKEN_OPTIONS,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
  type BerbixTokenModuleOptions,
} from './token.options.js';
export * from './dto/berbix-tokens.dto.js';
export * from './dto/client-token.dto.js';
export * from './dto/refresh-tokens.dto.js';
export * from './guard/berbix-tokens.guard.js';
