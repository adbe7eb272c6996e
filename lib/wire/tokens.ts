/**
 * The body of `POST /v0/tokens`, as all six official SDKs send it. The API also accepts it without
 * `grant_type`. [sdk: all] [3p: mintyfusion TokenService.cs]
 */
export interface TokenRequest {
  refresh_token: string;
  grant_type: typeof REFRESH_GRANT;
}

/** The only grant type since March 2021. [sdk: node history] */
export const REFRESH_GRANT = 'refresh_token';

/**
 * The answer of `POST /v0/tokens`, and the token part of the answer of `POST /v0/transactions`.
 * [sdk: go `fromTokenResponse`, java `createTokens`]
 */
export interface TokenAnswer {
  /**
   * ASSUMPTION: the value is `transaction_tokens`; only the field is known.
   * [3p: mintyfusion TokenModel.cs]
   */
  entity?: string;
  /**
   * A 64-bit integer; above 2^53 a JSON number loses digits in JavaScript.
   * [sdk: go int64, java Long]
   */
  transaction_id: number;
  access_token: string;
  client_token: string;
  /**
   * Present when a transaction is created; documented as omitted when tokens are refreshed. Other
   * servers repeat or replace it, so all three are handled. [3p: mintyfusion TokenModel.cs]
   */
  refresh_token?: string;
  /** Seconds; 3600 follows from the documented hour. [doc: docs/platform-overview] */
  expires_in: number;
  /** ASSUMPTION: the value is `bearer`. [3p: mintyfusion TokenModel.cs] */
  token_type?: string;
}

/** ASSUMPTION: see {@link TokenAnswer.entity}. */
export const TOKENS_ENTITY = 'transaction_tokens';

/** ASSUMPTION: see {@link TokenAnswer.token_type}. */
export const TOKEN_TYPE = 'bearer';

/** The lifetime of access and client tokens, in seconds. [doc: docs/platform-overview] */
export const TOKEN_LIFETIME_SECONDS = 3600;
