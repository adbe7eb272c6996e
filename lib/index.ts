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
  InjectBerbixTokenStore,
  InjectBerbixTransactionService,
  InjectBerbixVerificationService,
  InjectBerbixWebhookService,
  getBerbixTokenServiceToken,
  getBerbixTokenStoreToken,
  getBerbixTransactionServiceToken,
  getBerbixVerificationServiceToken,
  getBerbixWebhookServiceToken,
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
} from './errors/index.js';
export type { BerbixErrorDetails, ReplacementTokens } from './errors/index.js';
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
  BerbixTokensGuard,
  ClientTokenDto,
  FreshTokens,
  RefreshTokensDto,
  RequireFreshTokens,
} from './tokens/index.js';
export type {
  BerbixFreshnessOptions,
  BerbixTokenModuleOptions,
  BerbixTokensInit,
  FreshTokensOptions,
  RequireFreshTokensOptions,
  RotatedTokens,
  TransactionRef,
  TokenResolver,
  TokenRef,
} from './tokens/index.js';
export {
  BerbixTokenStore,
  InMemoryTokenStore,
  encryptionKeysFromEnvironment,
  reencryptTokens,
} from './token-store/index.js';
export type {
  BerbixEncryptionKey,
  BerbixEncryptionOptions,
  BerbixKeyProvider,
  BerbixOwnKeys,
  BerbixProvidedKeys,
  Lease,
  NamedEncryptionKey,
  ReencryptionCounts,
  ReencryptionOptions,
  SeenRecord,
  StoredRecord,
} from './token-store/index.js';
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
export {
  BerbixVerificationService,
  VerificationResultDto,
  VerificationStartDto,
} from './verification/index.js';
export type { BeginVerification, VerificationStatus } from './verification/index.js';
export {
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  OnBerbixWebhook,
  createBerbixWebhookController,
} from './webhooks/index.js';
export type {
  BerbixWebhookControllerOptions,
  BerbixWebhookOptions,
  BerbixWebhookOutcome,
  BerbixWebhookRequest,
  BerbixWebhookSecrets,
} from './webhooks/index.js';
export type { WebhookKind } from './wire/index.js';
