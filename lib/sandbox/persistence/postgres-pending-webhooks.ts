import type { PendingWebhook, PendingWebhooks } from '../webhooks/pending-webhooks.js';
import type { Database } from './database.js';

/** The webhooks that wait, in a database. */
export class PostgresPendingWebhooks implements PendingWebhooks {
  constructor(private readonly database: Database) {}

  async load(): Promise<PendingWebhook[]> {
    const { rows } = await this.database.query<{ content: PendingWebhook }>(
      'SELECT content FROM pending_webhooks',
    );
    return rows.map(({ content }) => content);
  }

  async add(webhook: PendingWebhook): Promise<void> {
    await this.database.query(
      'INSERT INTO pending_webhooks (id, content) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [webhook.id, JSON.stringify(webhook)],
    );
  }

  async delete(id: string): Promise<void> {
    await this.database.query('DELETE FROM pending_webhooks WHERE id = $1', [id]);
  }
}
