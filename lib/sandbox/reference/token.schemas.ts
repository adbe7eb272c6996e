import {
  REFRESH_GRANT,
  type TokenAnswer,
  TOKEN_LIFETIME_SECONDS,
  TOKEN_TYPE,
  type TokenRequest,
  TOKENS_ENTITY,
} from '../../wire/index.js';
import type { Schema } from './openapi.js';
import { int64, object, oneOf, string } from './schema.js';

/** What goes to `POST /v0/tokens`, and the tokens that come from there and from a creation. */
export const TOKEN_SCHEMAS: Record<string, Schema> = {
  TokenRequest: object<TokenRequest>(
    {
      refresh_token: string({ minLength: 1, description: 'As it was stored.' }),
      grant_type: oneOf([REFRESH_GRANT], { description: 'May be left out.' }),
    },
    ['refresh_token'],
  ),
  TokenAnswer: object<TokenAnswer>(
    {
      entity: string({ example: TOKENS_ENTITY }),
      transaction_id: int64({
        description: 'Above 2^53 a JSON number loses digits in JavaScript.',
        example: 1_234_123_412_341_234,
      }),
      access_token: string({ description: 'For calls of the backend.', example: 'at_…' }),
      client_token: string({
        description: 'A JWT for the page or app, and for uploads.',
        example: 'eyJ….….…',
      }),
      refresh_token: string({
        description:
          'To be stored by the backend. Present when a transaction is created; when tokens are refreshed only if the server echoes or rotates it, and then this one is to be stored.',
        example: 'rt_…',
      }),
      expires_in: {
        type: 'integer',
        description: 'How long access and client token live, in seconds.',
        example: TOKEN_LIFETIME_SECONDS,
      },
      token_type: string({ example: TOKEN_TYPE }),
    },
    ['transaction_id', 'access_token', 'client_token', 'expires_in'],
  ),
};
