import { randomBytes } from 'node:crypto';
import type { SandboxSettings } from '../sandbox.settings.js';
import { InMemoryTransactionStore } from '../transactions/in-memory-transaction.store.js';
import type { TransactionStore } from '../transactions/transaction.store.js';
import type { PendingWebhooks } from '../webhooks/pending-webhooks.js';
import type { WebhookSecrets } from '../webhooks/webhook.settings.js';

/** By what a sandbox is recognised; the template keys follow from it. Plain data. */
export interface SandboxIdentity {
  readonly apiSecret: string;
  readonly liveApiSecret: string;
  readonly webhookSecrets: WebhookSecrets;
  /** In base64. */
  readonly signingKey: string;
}

/** What the settings make of it; the key is the one of the run before, or a new one. */
export function identityOf(
  { apiSecret, liveApiSecret, webhooks }: SandboxSettings,
  signingKey = randomBytes(32).toString('base64'),
): SandboxIdentity {
  return { apiSecret, liveApiSecret, webhookSecrets: webhooks.secrets, signingKey };
}

/** Everything that is kept of a sandbox. */
export interface SandboxStorage {
  readonly transactions: TransactionStore;
  readonly pendingWebhooks: PendingWebhooks;
  /** The one of the run before, if there was one. */
  loadIdentity(): Promise<SandboxIdentity | undefined>;
  saveIdentity(identity: SandboxIdentity): Promise<void>;
  close(): Promise<void>;
}

const NOTHING_KEPT: PendingWebhooks = {
  load: async () => [],
  add: async () => undefined,
  delete: async () => undefined,
};

/** Nothing outlives the run. */
export class InMemoryStorage implements SandboxStorage {
  readonly transactions = new InMemoryTransactionStore();
  readonly pendingWebhooks = NOTHING_KEPT;

  async loadIdentity(): Promise<undefined> {}
  async saveIdentity(): Promise<void> {}
  async close(): Promise<void> {}
}
