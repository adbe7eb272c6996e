import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException } from '../http/api-exception.js';
import { ClientTokenGuard } from '../transactions/transaction-token.guard.js';
import type { Transaction } from '../transactions/transaction.js';

/** The transactions that have a page, by client token. */
@Injectable()
export class PageTransactions {
  constructor(@Inject(ClientTokenGuard) private readonly clientTokens: ClientTokenGuard) {}

  /**
   * The transaction of a client token.
   *
   * @throws {ApiException} as the API does for such a token; 403 for an API-only transaction
   */
  async find(clientToken: string): Promise<Transaction> {
    const transaction = await this.clientTokens.transactionOf(clientToken);
    if (transaction.kind === 'apiOnly') throw apiOnlyHasNoPage();
    return transaction;
  }
}

/** Only uploads complete such a transaction. [doc: docs/api-only-integration-guide] */
function apiOnlyHasNoPage(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'API-only transactions have no page, only uploads. Create one with the SDK template or the hosted template.',
  );
}
