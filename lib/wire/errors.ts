/**
 * The body of an error answer; `code` repeats the status.
 * [sdk: go@experimental `GenericErrorResponse`]
 */
export interface ApiErrorBody {
  code: number;
  readable?: string;
  message: string;
}

/**
 * The body of a 409: what the transaction expects instead.
 * [sdk: node `_upload`, go `InvalidStateErr`]
 */
export interface ApiConflictBody {
  next_step?: string;
  message: string;
}

/**
 * ASSUMPTION: the values of `readable`. The public sources show that the field exists, but not its
 * values; client and sandbox share these.
 *
 * They matter most for a 401 on `POST /v0/tokens`: the cause may be the API secret, and every
 * exchange will fail, or the refresh token, which is dead. If the answer does not name the refresh
 * token, the client assumes the secret, since that never discards a stored refresh token.
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
