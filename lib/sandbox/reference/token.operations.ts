import {
  REFRESH_GRANT,
  type TokenAnswer,
  TOKEN_LIFETIME_SECONDS,
  TOKEN_TYPE,
  TOKENS_ENTITY,
} from '../../wire/index.js';
import type { Operation } from './openapi.js';
import { answers, takes } from './operation.js';
import type { ReferenceValues } from './reference-values.js';
import { GONE, NO_SECRET, refuses, TOO_LARGE } from './refusals.js';

/** As Berbix documents it. [3p: mintyfusion TokenModel.cs] */
const TOKENS_WITHOUT_REFRESH_TOKEN: TokenAnswer = {
  entity: TOKENS_ENTITY,
  transaction_id: 1_234_123_412_341_234,
  access_token: 'at_…',
  client_token: 'eyJ….….…',
  token_type: TOKEN_TYPE,
  expires_in: TOKEN_LIFETIME_SECONDS,
};

/** `POST /v0/tokens`. [sdk: all] */
export function refreshTokensOperation({ refreshToken }: ReferenceValues): Operation {
  return {
    operationId: 'refreshTokens',
    tags: ['Tokens'],
    summary: 'Exchange a refresh token for fresh tokens',
    description:
      'Works as long as the transaction exists, as often as you like. Berbix documents the answer without a refresh token: keep the old one unless a new one comes.',
    security: [{ apiSecret: [] }],
    requestBody: takes('TokenRequest', {
      refresh: { value: { refresh_token: refreshToken, grant_type: REFRESH_GRANT } },
    }),
    responses: {
      ...answers('Fresh tokens.', 'TokenAnswer', TOKENS_WITHOUT_REFRESH_TOKEN),
      ...refuses(
        [400, 'invalidRequest', 'The body is not a JSON object, or has no refresh_token.'],
        [400, 'unsupportedGrantType', 'The grant_type is another one.'],
        NO_SECRET,
        [401, 'invalidRefreshToken', 'The refresh token is not known to this secret.'],
        GONE,
        TOO_LARGE,
      ),
    },
  };
}
