export { berbixConfig } from './berbix.config.js';
export { BerbixModule } from './berbix.module.js';
export type {
  BerbixModuleAsyncOptions,
  BerbixModuleExtras,
  BerbixModuleOptions,
  BerbixOptionsFactory,
} from './berbix.options.js';
export {
  InjectBerbixTokenService,
  InjectBerbixTransactionService,
  getBerbixTokenServiceToken,
  getBerbixTransactionServiceToken,
} from './berbix.injection-tokens.js';
export {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixConflictError,
  BerbixConnectionError,
  BerbixError,
  BerbixExceptionFilter,
  BerbixGoneError,
  BerbixInvalidAccessTokenError,
  BerbixInputError,
  BerbixInvalidRefreshTokenError,
  BerbixRateLimitError,
  BerbixRequestError,
  BerbixResponseError,
  BerbixServerError,
  BerbixTimeoutError,
  BerbixUnavailableError,
  isBerbixError,
} from './errors/index.js';
export type { BerbixErrorDetails, RescuedTokens } from './errors/index.js';
export type {
  ApiSecretSource,
  BerbixDispatcher,
  BerbixHttpModuleOptions,
  BerbixHttpOptions,
  BerbixRetryOptions,
} from './http/index.js';
export {
  BerbixTokenService,
  BerbixTokens,
  BerbixTokensDto,
  ClientTokenDto,
  RefreshTokensDto,
} from './tokens/index.js';
export type { BerbixTokensInit } from './tokens/index.js';
export {
  ApiOnlyTransactionDto,
  BerbixTransactionService,
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
  HostedTransactionDto,
  OverrideTransactionDto,
  TransactionDto,
  UpdateTransactionDto,
  UploadResultDto,
} from './transactions/index.js';
export type {
  MatchDataDto,
  TransactionDuplicateDto,
  TransactionFieldDto,
  TransactionImagesDto,
  UploadData,
  UploadImageDto,
} from './transactions/index.js';
