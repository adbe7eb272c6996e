import type { SandboxMode } from '../auth/sandbox-mode.js';
import {
  type CompletedTransaction,
  isCompleted,
  type Transaction,
} from '../transactions/transaction.js';
import { TransactionStore } from '../transactions/transaction.store.js';
import type { Database } from './database.js';

/** The transactions in a database: each as JSON, beside what is looked for. */
export class PostgresTransactionStore extends TransactionStore {
  constructor(private readonly database: Database) {
    super();
  }

  async add(transaction: Transaction): Promise<void> {
    await this.database.query(
      `INSERT INTO transactions (id, mode, completed_at, id_number, content)
       VALUES ($1, $2, $3, $4, $5)`,
      columnsOf(transaction),
    );
  }

  async find(id: string): Promise<Transaction | undefined> {
    const [transaction] = await this.#select<Transaction>('id = $1', [id]);
    return transaction;
  }

  async save(transaction: Transaction): Promise<void> {
    await this.database.query(
      `UPDATE transactions SET mode = $2, completed_at = $3, id_number = $4, content = $5
       WHERE id = $1`,
      columnsOf(transaction),
    );
  }

  async delete(id: string): Promise<void> {
    await this.database.query('DELETE FROM transactions WHERE id = $1', [id]);
  }

  findByIdNumber(mode: SandboxMode, idNumber: string): Promise<CompletedTransaction[]> {
    return this.#select('mode = $1 AND id_number = $2', [mode, JSON.stringify(idNumber)]);
  }

  async completionTimes(mode: SandboxMode, after: number): Promise<number[]> {
    const { rows } = await this.database.query<{ completed_at: number }>(
      'SELECT completed_at FROM transactions WHERE mode = $1 AND completed_at > $2',
      [mode, after],
    );
    return rows.map((row) => row.completed_at);
  }

  async #select<Found extends Transaction>(condition: string, values: unknown[]): Promise<Found[]> {
    const { rows } = await this.database.query<{ content: Found }>(
      `SELECT content FROM transactions WHERE ${condition}`,
      values,
    );
    return rows.map(({ content }) => content);
  }
}

/** The number as JSON: text of PostgreSQL has no NUL and no half of a surrogate pair. */
function columnsOf(transaction: Transaction): unknown[] {
  const { id, mode } = transaction;
  const { completedAt, fields } = isCompleted(transaction) ? transaction.state : {};
  const idNumber = fields?.id_number === undefined ? null : JSON.stringify(fields.id_number);
  return [id, mode, completedAt ?? null, idNumber, JSON.stringify(transaction)];
}
