import { Injectable, Module } from '@nestjs/common';
import type { BerbixTransactionRef } from 'nestjs-berbix';

/** Stands for a table of the application, with the refresh token in an encrypted column. */
@Injectable()
export class Customers {
  readonly #refreshTokens = new Map<string, string>();

  refreshTokenOf(customerUid: string): string {
    return this.#refreshTokens.get(customerUid) ?? '';
  }

  /** Undefined if the customer has none, and for transactions, which this table does not know. */
  async find(owner: BerbixTransactionRef): Promise<string | undefined> {
    return 'customerUid' in owner ? this.#refreshTokens.get(owner.customerUid) : undefined;
  }

  async save(customerUid: string, refreshToken: string): Promise<void> {
    this.#refreshTokens.set(customerUid, refreshToken);
  }

  /** As in SQL: UPDATE customers SET refresh_token = $2 WHERE refresh_token = $1 */
  async replace(previous: string, refreshToken: string): Promise<void> {
    for (const [uid, token] of this.#refreshTokens) {
      if (token === previous) this.#refreshTokens.set(uid, refreshToken);
    }
  }
}

@Module({ providers: [Customers], exports: [Customers] })
export class CustomersModule {}
