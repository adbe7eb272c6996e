import { Inject, Injectable } from '@nestjs/common';
import { TOKEN_TYPE, TOKENS_ENTITY } from '../../wire/index.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import type { Transaction } from '../transactions/transaction.js';
import { TokenWriter } from './token-writer.js';

/** The fields that creating a transaction and exchanging a refresh token have in common. [sdk: all] */
@Injectable()
export class TokenPresenter {
  constructor(
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** ASSUMPTION: tokens handed out earlier stay valid until they expire. */
  present(transaction: Transaction) {
    return {
      entity: TOKENS_ENTITY,
      transaction_id: BigInt(transaction.id),
      access_token: this.tokens.accessToken(transaction),
      client_token: this.tokens.clientToken(transaction),
      token_type: TOKEN_TYPE,
      expires_in: this.settings.tokenTtlSeconds,
    };
  }
}
