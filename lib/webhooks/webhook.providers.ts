import type { Provider } from '@nestjs/common';
import { BerbixWebhookService } from './berbix-webhook.service.js';
import { WebhookHandlers } from './webhook-handlers.js';
import { webhookServiceKey } from './webhook-service.key.js';

/**
 * What the module of an account provides for its webhooks; beside it BERBIX_WEBHOOK_SETTINGS, a
 * BerbixTokenStore and the DiscoveryModule of Nest.
 *
 * @param account as given to `forRoot`
 */
export function webhookProviders(account: string | undefined): Provider[] {
  return [
    WebhookHandlers,
    BerbixWebhookService,
    { provide: webhookServiceKey(account), useExisting: BerbixWebhookService },
  ];
}
