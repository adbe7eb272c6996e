import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { challenge } from '../auth/authorization.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { ApiException } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import type { Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import type { RefreshToken } from './token-kinds.js';
import { TokenReader } from './token-reader.js';

/** Finds the transaction of a refresh token, and rotates the token where the sandbox is told to. */
@Injectable()
export class RefreshTokenExchange {
  constructor(
    @Inject(TokenReader) private readonly tokens: TokenReader,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** @throws {ApiException} 401 for a token that is not valid in this mode, 410 for a deleted transaction */
  async exchange(refreshToken: string, mode: SandboxMode): Promise<Transaction> {
    const token = this.tokens.read(refreshToken);
    if (token?.kind !== 'refresh' || token.mode !== mode) throw unknownRefreshToken();
    const { transactionId: id } = token;
    if (this.settings.refreshToken !== 'rotate') return this.transactions.find(id);
    return this.transactions.change(id, (transaction) => this.#rotate(transaction, token));
  }

  #rotate(transaction: Transaction, { generation }: RefreshToken): Transaction {
    const { rotation } = transaction;
    if (generation === rotation.generation) {
      const next = { generation: generation + 1, rotatedAt: this.clock.now() };
      return { ...transaction, rotation: next };
    }
    if (generation !== rotation.generation - 1 || !this.#isInGrace(rotation.rotatedAt)) {
      throw replacedRefreshToken();
    }
    return transaction;
  }

  #isInGrace(rotatedAt: number): boolean {
    return this.clock.now() < rotatedAt + this.settings.rotationGraceSeconds * 1000;
  }
}

/** ASSUMPTION: 401 for a token that is not recognised, also when it is one of the other mode. */
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

function invalidRefreshToken(message: string): ApiException {
  return new ApiException(401, READABLE.invalidRefreshToken, message, challenge('Basic'));
}
