import { Inject, Injectable } from '@nestjs/common';
import type { VerificationStatus } from 'nestjs-berbix';
import { Database } from '../database/database.js';
import { VerificationStatusDto } from './verification-status.dto.js';

/**
 * The table `customer_verifications`, one row per customer. Every change says for which transaction it
 * is, so that news of an earlier one does no harm.
 */
@Injectable()
export class VerificationsRepository {
  constructor(@Inject(Database) private readonly database: Database) {}

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

  /** Leaves the row as it is if it is of this transaction already: it may be determined by now. */
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

  async setStatus(transactionId: string, status: VerificationStatus): Promise<void> {
    await this.database.query(
      `UPDATE customer_verifications SET status = $2, updated_at = now()
        WHERE transaction_id = $1 AND status <> $2`,
      [transactionId, status],
    );
  }

  /** Where no webhook has told the status: one that comes at the same moment knows better. */
  async setMissingStatus(transactionId: string, status: VerificationStatus): Promise<void> {
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
