import type {
  BerbixModuleOptions,
  BerbixTokens,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixWebhookService,
  CreateTransactionDto,
} from 'nestjs-berbix';

/** The counterpart in this package of a capability of an official SDK. */
export type Ours =
  | { on: 'BerbixTransactionService'; method: keyof BerbixTransactionService }
  | { on: 'BerbixTokenService'; method: keyof BerbixTokenService }
  | { on: 'BerbixTokens'; method: keyof BerbixTokens | 'fromRefresh' }
  | { on: 'BerbixWebhookService'; method: keyof BerbixWebhookService }
  | { option: keyof BerbixModuleOptions | keyof CreateTransactionDto };

export const SDKS = ['Node', 'PHP', 'Python', 'Ruby', 'Java', 'Go', '.NET'] as const;
export type Sdk = (typeof SDKS)[number];

/** A capability of the official SDKs, and its name in each SDK that has it. */
export interface Capability {
  ours: Ours;
  names: Partial<Record<Sdk, string>>;
}

const transaction = (method: keyof BerbixTransactionService): Ours => ({
  on: 'BerbixTransactionService',
  method,
});

/**
 * The public surface of the official SDKs, without what is only on an unreleased branch or cannot
 * be set.
 */
export const SDK_SURFACE: Record<string, Capability> = {
  createTransaction: {
    ours: transaction('create'),
    names: {
      Node: 'client.createTransaction(options)',
      PHP: 'createTransaction($opts)',
      Python: 'create_transaction(**kwargs)',
      Ruby: 'create_transaction(opts)',
      Java: 'createTransaction(request)',
      Go: 'CreateTransaction(options)',
      '.NET': 'TransactionService.CreateAsync(transaction)',
    },
  },
  createHostedTransaction: {
    ours: transaction('createHosted'),
    names: {
      Node: 'client.createHostedTransaction(options)',
      PHP: 'createHostedTransaction($opts)',
      Python: 'create_hosted_transaction(**kwargs)',
      Ruby: 'create_hosted_transaction(opts)',
      Java: 'createHostedTransaction(request)',
      Go: 'CreateHostedTransaction(options)',
      '.NET': 'CreateTransactionModel.HostedOptions',
    },
  },
  createApiOnlyTransaction: {
    ours: transaction('createApiOnly'),
    names: {
      Node: 'client.createApiOnlyTransaction(options)',
      Java: 'createAPIOnlyTransaction(request)',
    },
  },
  refreshTokens: {
    ours: { on: 'BerbixTokenService', method: 'refresh' },
    names: {
      Node: 'client.refreshTokens(tokens)',
      PHP: 'refreshTokens($tokens)',
      Python: 'refresh_tokens(tokens)',
      Ruby: 'refresh_tokens(tokens)',
      Java: 'refreshTokens(tokens)',
      Go: 'RefreshTokens(tokens)',
      '.NET': 'TokenService.CreateAsync(refreshToken)',
    },
  },
  'Tokens.fromRefresh': {
    ours: { on: 'BerbixTokens', method: 'fromRefresh' },
    names: {
      Node: 'Tokens.fromRefresh(refreshToken)',
      PHP: 'Tokens::fromRefresh($refreshToken)',
      Python: 'Tokens.from_refresh(refresh_token)',
      Ruby: 'Tokens.from_refresh(refresh_token)',
      Java: 'Tokens.fromRefresh(refreshToken)',
      Go: 'TokensFromRefresh(refreshToken)',
    },
  },
  needsRefresh: {
    ours: { on: 'BerbixTokens', method: 'needsRefresh' },
    names: {
      Node: 'tokens.needsRefresh()',
      PHP: '$tokens->needsRefresh()',
      Python: 'tokens.needs_refresh()',
      Ruby: 'tokens.needs_refresh?',
      Java: 'tokens.needsRefresh()',
      Go: 'tokens.NeedsRefresh()',
    },
  },
  'auto refresh': {
    ours: transaction('fetch'),
    names: Object.fromEntries(
      (['Node', 'PHP', 'Python', 'Ruby', 'Java', 'Go'] as const).map((sdk) => [
        sdk,
        'refresh before a call',
      ]),
    ),
  },
  fetchTransaction: {
    ours: transaction('fetch'),
    names: {
      Node: 'client.fetchTransaction(tokens)',
      PHP: 'fetchTransaction($tokens)',
      Python: 'fetch_transaction(tokens)',
      Ruby: 'fetch_transaction(tokens)',
      Java: 'fetchTransaction(tokens)',
      Go: 'FetchTransaction(tokens)',
      '.NET': 'TransactionService.GetVerificationAsync(accessToken)',
    },
  },
  deleteTransaction: {
    ours: transaction('delete'),
    names: {
      Node: 'client.deleteTransaction(tokens)',
      PHP: 'deleteTransaction($tokens)',
      Python: 'delete_transaction(tokens)',
      Ruby: 'delete_transaction(tokens)',
      Java: 'deleteTransaction(tokens)',
      Go: 'DeleteTransaction(tokens)',
    },
  },
  updateTransaction: {
    ours: transaction('update'),
    names: {
      Node: 'client.updateTransaction(tokens, params)',
      PHP: 'updateTransaction($tokens, $params)',
      Python: 'update_transaction(tokens, **kwargs)',
      Ruby: 'update_transaction(tokens, opts)',
      Java: 'updateTransaction(tokens, request)',
      Go: 'UpdateTransaction(tokens, options)',
    },
  },
  overrideTransaction: {
    ours: transaction('override'),
    names: {
      Node: 'client.overrideTransaction(tokens, params)',
      PHP: 'overrideTransaction($tokens, $params)',
      Python: 'override_transaction(tokens, **kwargs)',
      Ruby: 'override_transaction(tokens, opts)',
      Java: 'overrideTransaction(tokens, request)',
      Go: 'OverrideTransaction(tokens, options)',
    },
  },
  uploadImages: {
    ours: transaction('uploadImages'),
    names: {
      Node: 'client.uploadImages(tokens, { images })',
      Java: 'uploadImages(clientToken, request)',
    },
  },
  uploadIdScan: {
    ours: transaction('uploadIdScan'),
    names: { Node: 'client.uploadIdScan(tokens, { idScans })' },
  },
  validateSignature: {
    ours: { on: 'BerbixWebhookService', method: 'verify' },
    names: {
      Node: 'client.validateSignature(secret, body, header)',
      PHP: 'validateSignature($secret, $body, $header)',
      Python: 'validate_signature(secret, body, header)',
      Ruby: 'validate_signature(secret, body, header)',
      Java: 'validateSignature(secret, body, header)',
      Go: 'ValidateSignature(secret, body, header)',
    },
  },
  match_data: { ours: { option: 'matchData' }, names: { PHP: "$opts['matchData']" } },
  'consent flag': {
    ours: { option: 'consentsToAutomatedFacialRecognition' },
    names: {
      Node: 'consentsToAutomatedFacialRecognition',
      Java: 'consentsToAutomatedFacialRecognition',
    },
  },
  'custom HTTP client': {
    ours: { option: 'http' },
    names: {
      Node: 'httpClient',
      PHP: "$opts['httpClient']",
      Python: 'http_client=',
      Ruby: ':http_client',
      Go: 'ClientOptions.HTTPClient',
      '.NET': 'IHttpClientFactory',
    },
  },
  'custom host': {
    ours: { option: 'apiHost' },
    names: {
      Node: 'apiHost',
      PHP: "$opts['apiHost']",
      Python: 'api_host=',
      Ruby: ':api_host',
      Java: 'BerbixOptions.Builder.apiHost(host)',
      Go: 'ClientOptions.Host',
    },
  },
  'timeout option': {
    ours: { option: 'timeoutMs' },
    names: {
      Node: 'httpClientOpts.timeoutMs',
      Ruby: 'NetHTTPClient.new(read_timeout:, open_timeout:)',
    },
  },
};
