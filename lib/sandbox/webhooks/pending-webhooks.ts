import type { UUID } from 'node:crypto';
import type { WebhookKind } from '../../wire/index.js';
import type { WebhookFault } from './webhook-fault.js';

/** A webhook that was neither taken nor given up yet. Plain data that survives JSON. */
export interface PendingWebhook {
  readonly id: UUID;
  readonly kind: WebhookKind;
  readonly url: string;
  readonly body: string;
  readonly fault?: WebhookFault;
}

/** Where webhooks are kept that the next run of the sandbox has to send. */
export interface PendingWebhooks {
  /** Those of the run before, in no certain order. */
  load(): Promise<PendingWebhook[]>;
  /** Nothing happens if it is there. */
  add(webhook: PendingWebhook): Promise<void>;
  delete(id: string): Promise<void>;
}
