/**
 * The module, its services, guards, decorators, DTOs and errors.
 *
 * @module nestjs-berbix
 */

// The public API: what an application calls, injects, throws or catches, and the types of what it
// gets or implements. A part of some options is reached through the whole, such as
// `BerbixModuleOptions['retry']`; what only the author of a store needs is in
// `nestjs-berbix/token-store`.
//
// Names have the prefix Berbix, save decorators, DTO classes (...Dto) and stores (...TokenStore),
// which say what they are.

// The module, its options, and where its services are found
export { BerbixExceptionFilter } from './berbix-exception.filter.js';
export { berbixConfig } from './berbix.config.js';
export { BerbixModule } from './berbix.module.js';
export type {
  BerbixModuleAsyncOptions,
  BerbixModuleOptions,
  BerbixOptionsFactory,
} from './berbix.options.js';
export { InjectBerbix, getBerbixToken } from './options/index.js';

// Errors
export {
  BerbixAbortedError,
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixConflictError,
  BerbixConnectionError,
  BerbixError,
  BerbixGoneError,
  BerbixInputError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
  BerbixNotFoundError,
  BerbixRateLimitError,
  BerbixRequestError,
  BerbixResponseError,
  BerbixServerError,
  BerbixStoreError,
  BerbixTimeoutError,
  BerbixUnavailableError,
  BerbixWebhookBodyError,
  BerbixWebhookSignatureError,
  isBerbixError,
  type BerbixErrorCode,
  type BerbixReplacementTokens,
} from './errors/index.js';

// Tokens
export {
  BerbixTokenService,
  BerbixTokensDto,
  BerbixTokensGuard,
  ClientTokenDto,
  FreshTokens,
  RefreshTokensDto,
  RequireFreshTokens,
  type BerbixCallOptions,
  type BerbixTokenResolver,
  type RequireFreshTokensOptions,
} from './tokens/index.js';
export { BerbixTokens, type BerbixTokenRef, type BerbixTransactionRef } from './values/index.js';
export type { BerbixRotatedTokens } from './renewal/index.js';

// Where tokens are stored, and their encryption
export {
  BerbixTokenStore,
  InMemoryTokenStore,
  berbixEncryptionFromEnvironment,
  type BerbixEncryptionOptions,
  type BerbixKeyProvider,
  type BerbixNamedKey,
} from './token-store/index.js';

// Transactions
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
  type MatchDataDto,
  type TransactionDuplicateDto,
  type TransactionFieldDto,
  type TransactionImagesDto,
  type UploadImageDto,
} from './transactions/index.js';

// Verifications
export {
  BerbixVerificationService,
  VerificationResultDto,
  VerificationStartDto,
  type BerbixVerificationOptions,
  type BerbixVerificationStatus,
} from './verification/index.js';

// Health and events
export { BerbixHealthService, type BerbixHealthStatus } from './health/index.js';
export { BerbixEvents, OnBerbixEvent, type BerbixEvent } from './events/index.js';

// Webhooks
export {
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookControllerOptions,
} from './webhooks/index.js';
