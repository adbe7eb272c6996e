import {
  REFRESH_GRANT,
  TOKEN_LIFETIME_SECONDS,
  TOKEN_TYPE,
  type TokenAnswer,
  type TokenRequest,
  TOKENS_ENTITY,
} from '../../wire/index.js';
import {
  answers,
  int64,
  object,
  closedWord,
  type Operation,
  type ReferenceValues,
  type Schema,
  string,
  takes,
} from './model.js';
import { GONE, NO_SECRET, refuses, TOO_LARGE } from './refusals.js';

/** The body of `POST /v0/tokens`, and the tokens in its answer and in that of a creation. */
export const TOKEN_SCHEMAS: Record<string, Schema> = {
  TokenRequest: object<TokenRequest>(
    {
      refresh_token: string({ minLength: 1, description: 'The stored refresh token.' }),
      grant_type: closedWord([REFRESH_GRANT], { description: 'Optional.' }),
    },
    ['refresh_token'],
  ),
  TokenAnswer: object<TokenAnswer>(
    {
      entity: string({ examples: [TOKENS_ENTITY] }),
      transaction_id: int64({
        description: 'Above 2^53 a JSON number loses digits in JavaScript.',
        examples: [1_234_123_412_341_234],
      }),
      access_token: string({ description: 'For calls by the backend.', examples: ['at_…'] }),
      client_token: string({
        description: 'A JWT for the page or app, and for uploads.',
        examples: ['eyJ….….…'],
      }),
      refresh_token: string({
        description:
          'The backend stores it. A creation always has one; an exchange only has one if the server echoes or rotates it, and then the backend stores that one.',
        examples: ['rt_…'],
      }),
      expires_in: {
        type: 'integer',
        description: 'Lifetime of access and client token, in seconds.',
        examples: [TOKEN_LIFETIME_SECONDS],
      },
      token_type: string({ examples: [TOKEN_TYPE] }),
    },
    ['transaction_id', 'access_token', 'client_token', 'expires_in'],
  ),
};

/** As Berbix documents it. [3p: mintyfusion TokenModel.cs] */
const TOKENS_WITHOUT_REFRESH_TOKEN: TokenAnswer = {
  entity: TOKENS_ENTITY,
  transaction_id: 1_234_123_412_341_234,
  access_token: 'at_…',
  client_token: 'eyJ….….…',
  token_type: TOKEN_TYPE,
  expires_in: TOKEN_LIFETIME_SECONDS,
};

/** [doc: reference/createtransaction] [sdk: node 99a0ea1] */
const REFRESHING = `Access and client tokens are valid for an hour. The backend exchanges the stored refresh token for new ones as often as it likes, as long as the transaction exists. Berbix documents the answer without a refresh token: keep the old one unless the answer has a new one.

**To resume an incomplete verification**, hours later or on another device, exchange the refresh token and give the new client token to the page or app. The same transaction continues where it stopped, so do not [create](#/Transactions/createTransaction) another one.

**To get a result later**, exchange the refresh token and [fetch the transaction](#/Transactions/fetchTransaction) with the new access token.

Do not exchange one refresh token from two places at the same time: where the server replaces it, one of them is left with a token that is no longer valid.`;

/** `POST /v0/tokens`. [sdk: all] */
export function refreshTokensOperation({ refreshToken }: ReferenceValues): Operation {
  return {
    operationId: 'refreshTokens',
    tags: ['Tokens'],
    summary: 'Exchange a refresh token for new tokens',
    description: REFRESHING,
    security: [{ apiSecret: [] }],
    requestBody: takes('TokenRequest', {
      refresh: { value: { refresh_token: refreshToken, grant_type: REFRESH_GRANT } },
    }),
    responses: {
      ...answers('New tokens.', 'TokenAnswer', TOKENS_WITHOUT_REFRESH_TOKEN),
      ...refuses(
        [400, 'invalidRequest', 'The body is not a JSON object, or has no refresh_token.'],
        [400, 'unsupportedGrantType', 'The grant_type is not refresh_token.'],
        NO_SECRET,
        [
          401,
          'invalidRefreshToken',
          'The refresh token does not belong to this secret, or was replaced or revoked.',
        ],
        GONE,
        TOO_LARGE,
      ),
    },
  };
}
