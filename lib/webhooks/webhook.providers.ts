import type { Provider } from '@nestjs/common';
import { accountProvider } from '../http/index.js';
import { CheckedStore } from '../token-store/index.js';
import { BerbixWebhookService } from './berbix-webhook.service.js';
import { WebhookHandlers } from './webhook-handlers.js';
import { getBerbixWebhookServiceToken } from './webhook-service.token.js';
import { BERBIX_WEBHOOK_SETTINGS } from './webhook.settings.js';

/**
 * What the module of an account provides for its webhooks; beside it BERBIX_WEBHOOK_SETTINGS, a
 * CheckedStore and the DiscoveryModule of Nest.
 *
 * @param account as given to `forRoot`
 */
export function webhookProviders(account: string | undefined): Provider[] {
  return [
    WebhookHandlers,
    accountProvider(getBerbixWebhookServiceToken(account), BerbixWebhookService, [
      BERBIX_WEBHOOK_SETTINGS,
      WebhookHandlers,
      CheckedStore,
    ]),
  ];
}
