/** The body of every error answer; `code` repeats the HTTP status. [sdk: go@experimental `GenericErrorResponse`] */
export interface ApiErrorBody {
  code: number;
  readable?: string;
  message: string;
}

/** The body of a 409: what the transaction waits for instead. [sdk: node `_upload`, go `InvalidStateErr`] */
export interface ApiConflictBody {
  next_step?: string;
  message: string;
}

/**
 * ASSUMPTION: which `readable` tells which refusal. The public record shows that the field exists,
 * not what it says; client and sandbox share these words.
 *
 * It matters most for a 401 on `POST /v0/tokens`, which may blame the API secret (every exchange
 * will fail) or the refresh token (this one is dead). Where the answer does not name the refresh
 * token, the client blames the secret: that never costs anybody a stored refresh token.
 */
export const READABLE = {
  invalidRequest: 'invalid_request',
  invalidApiSecret: 'invalid_api_secret',
  invalidRefreshToken: 'invalid_refresh_token',
  invalidAccessToken: 'invalid_access_token',
  invalidClientToken: 'invalid_client_token',
  wrongTokenKind: 'wrong_token_kind',
  notAllowed: 'not_allowed',
  wrongState: 'wrong_state',
  unsupportedGrantType: 'unsupported_grant_type',
  transactionGone: 'transaction_gone',
  notFound: 'not_found',
  payloadTooLarge: 'payload_too_large',
  unsupportedMediaType: 'unsupported_media_type',
  rateLimited: 'rate_limited',
  internalError: 'internal_error',
} as const;
