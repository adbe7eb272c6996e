import { Inject, Injectable } from '@nestjs/common';
import { BerbixTokens } from 'nestjs-berbix';
import { Database } from '../database/database.js';
import type { Storable, Verification } from './verification.js';

interface Row {
  customer_uid: string;
  transaction_id: string | null;
  refresh_token: string;
  created_at: Date;
}

/**
 * The table `verifications`, one row per customer. Every change says what it expects to find, so
 * that of two instances of the backend one wins and the other knows that it did not.
 *
 * The refresh token is long-lived: encrypt it here, on the way in and out.
 */
@Injectable()
export class VerificationsRepository {
  constructor(@Inject(Database) private readonly database: Database) {}

  async find(customerUid: string): Promise<Verification | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT customer_uid, transaction_id, refresh_token, created_at
         FROM verifications WHERE customer_uid = $1`,
      [customerUid],
    );
    return row && toVerification(row);
  }

  /** @returns false if the customer has a verification already */
  insert(customerUid: string, tokens: Storable): Promise<boolean> {
    return this.#changed(
      `INSERT INTO verifications (customer_uid, transaction_id, refresh_token)
       VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING customer_uid`,
      [customerUid, tokens.transactionId ?? null, tokens.refreshToken],
    );
  }

  /**
   * The same transaction with a new refresh token.
   *
   * @returns false if the stored one is not the expected one any more
   */
  rotate(stored: Verification, tokens: Storable): Promise<boolean> {
    return this.#changed(
      `UPDATE verifications
          SET refresh_token = $3, transaction_id = coalesce(transaction_id, $4), updated_at = now()
        WHERE customer_uid = $1 AND refresh_token = $2 RETURNING customer_uid`,
      [
        stored.customerUid,
        stored.tokens.refreshToken,
        tokens.refreshToken,
        tokens.transactionId ?? null,
      ],
    );
  }

  /**
   * A new transaction instead of one that cannot be continued.
   *
   * @returns false if the stored one is not the expected one any more
   */
  replace(stored: Verification, tokens: Storable): Promise<boolean> {
    return this.#changed(
      `UPDATE verifications
          SET transaction_id = $3, refresh_token = $4, created_at = now(), updated_at = now()
        WHERE customer_uid = $1 AND refresh_token = $2 RETURNING customer_uid`,
      [
        stored.customerUid,
        stored.tokens.refreshToken,
        tokens.transactionId ?? null,
        tokens.refreshToken,
      ],
    );
  }

  async #changed(sql: string, values: unknown[]): Promise<boolean> {
    return (await this.database.query(sql, values)).length === 1;
  }
}

function toVerification(row: Row): Verification {
  return {
    customerUid: row.customer_uid,
    tokens: new BerbixTokens({
      refreshToken: row.refresh_token,
      transactionId: row.transaction_id ?? undefined,
    }),
    startedAt: row.created_at,
  };
}
