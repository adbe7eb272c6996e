import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import type { SandboxMode } from '../auth/authorization.js';
import { type RefreshToken, TokenReader } from '../auth/tokens.js';
import { SandboxClock } from '../clock.js';
import { ApiException, challenge } from '../http/api-exception.js';
import type { RecordedRequest } from '../http/request-log.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { withNextRefreshToken } from '../transactions/token-changes.js';
import type { Rotation, Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { ExchangeLog, type RefreshTokenFate } from './exchange-log.js';

/** Exchanges refresh tokens, and rotates them with the option `refreshToken: 'rotate'`. */
@Injectable()
export class RefreshTokenExchange {
  constructor(
    @Inject(TokenReader) private readonly tokens: TokenReader,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ExchangeLog) private readonly exchanges: ExchangeLog,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /**
   * @param request is the one that sent the token
   * @returns the transaction of the token, after its rotation
   * @throws {ApiException} 401 for a token that is not valid in this mode, 410 for a deleted transaction
   */
  async exchange(
    refreshToken: string,
    mode: SandboxMode,
    request: RecordedRequest,
  ): Promise<Transaction> {
    const token = this.exchanges.tokenOf(request) ?? this.tokens.read(refreshToken);
    if (token?.kind !== 'refresh' || token.mode !== mode) throw unknownRefreshToken();
    const { transactionId: id } = token;
    const accept = (transaction: Transaction): Transaction => {
      const fate = this.#fateOf(transaction.rotation, token);
      this.exchanges.processed(request, fate);
      if (fate === 'revoked') throw revokedRefreshToken();
      if (fate === 'stale') throw replacedRefreshToken();
      return fate === 'rotated' ? withNextRefreshToken(transaction, this.clock.now()) : transaction;
    };
    return this.settings.refreshToken === 'rotate'
      ? this.transactions.change(id, accept)
      : accept(await this.transactions.find(id));
  }

  #fateOf(rotation: Rotation, { generation }: RefreshToken): RefreshTokenFate {
    if (rotation.revoked) return 'revoked';
    if (generation === rotation.generation) {
      return this.settings.refreshToken === 'rotate' ? 'rotated' : 'kept';
    }
    const isLast = generation === rotation.generation - 1;
    return isLast && this.#isInGrace(rotation.rotatedAt) ? 'in_grace' : 'stale';
  }

  #isInGrace(rotatedAt: number): boolean {
    return this.clock.now() < rotatedAt + this.settings.rotationGraceSeconds * 1000;
  }
}

/** ASSUMPTION: 401 for an unknown token, and for one of the other mode. */
function unknownRefreshToken(): ApiException {
  return invalidRefreshToken(
    'The refresh token does not belong to this API secret. Use the secret, test or live, that created the transaction; tokens end with the sandbox that issued them.',
  );
}

function replacedRefreshToken(): ApiException {
  return invalidRefreshToken(
    'The refresh token was replaced by a newer one. Store the refresh token of every answer that has one.',
  );
}

function revokedRefreshToken(): ApiException {
  return invalidRefreshToken('The refresh token was revoked. Create a new transaction.');
}

function invalidRefreshToken(message: string): ApiException {
  return new ApiException(401, READABLE.invalidRefreshToken, message, challenge('Basic'));
}
