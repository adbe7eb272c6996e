import { Injectable } from '@nestjs/common';
import type { BerbixVerificationStatus } from 'nestjs-berbix';
import { Database } from '../database/database.js';
import { VerificationStatusDto } from './verification-status.dto.js';

/**
 * The table `customer_verifications`, with one row per customer. Every change names its
 * transaction, so that a webhook of an earlier transaction changes nothing.
 */
@Injectable()
export class VerificationsRepository {
  constructor(private readonly database: Database) {}

  async find(customerUid: string): Promise<VerificationStatusDto> {
    const { rows } = await this.database.query<VerificationStatusDto>(
      'SELECT status, updated_at AS since FROM customer_verifications WHERE customer_uid = $1',
      [customerUid],
    );
    return Object.assign(
      new VerificationStatusDto(),
      rows[0] ?? { status: 'not_started', since: null },
    );
  }

  /** Does not change a row that already has this transaction: it may have a result by now. */
  async begun(customerUid: string, transactionId: string): Promise<void> {
    await this.database.query(
      `INSERT INTO customer_verifications AS known (customer_uid, transaction_id, status)
       VALUES ($1, $2, 'in_progress')
       ON CONFLICT (customer_uid) DO UPDATE
         SET transaction_id = excluded.transaction_id, status = 'in_progress', updated_at = now()
         WHERE known.transaction_id <> excluded.transaction_id`,
      [customerUid, transactionId],
    );
  }

  async setStatus(transactionId: string, status: BerbixVerificationStatus): Promise<void> {
    await this.database.query(
      `UPDATE customer_verifications SET status = $2, updated_at = now()
        WHERE transaction_id = $1 AND status <> $2`,
      [transactionId, status],
    );
  }

  /** Sets the status unless a webhook has set it: a webhook that comes now is more recent. */
  async setMissingStatus(transactionId: string, status: BerbixVerificationStatus): Promise<void> {
    await this.database.query(
      `UPDATE customer_verifications SET status = $2, updated_at = now()
        WHERE transaction_id = $1 AND status = 'in_progress'`,
      [transactionId, status],
    );
  }

  async remove(customerUid: string): Promise<void> {
    await this.database.query('DELETE FROM customer_verifications WHERE customer_uid = $1', [
      customerUid,
    ]);
  }
}
