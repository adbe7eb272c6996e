import type { InjectionToken, Provider } from '@nestjs/common';
import { accountProvider } from '../http/index.js';
import type { BerbixTokenStore } from '../token-store/index.js';
import { BerbixWebhookService } from './berbix-webhook.service.js';
import { WebhookHandlers } from './webhook-handlers.js';
import { getBerbixWebhookServiceToken } from './webhook-service.token.js';
import { BERBIX_WEBHOOK_SETTINGS } from './webhook.settings.js';

/**
 * What the module of an account provides for its webhooks; beside it BERBIX_WEBHOOK_SETTINGS, a
 * BerbixTokenStore and the DiscoveryModule of Nest.
 *
 * @param account as given to `forRoot`
 * @param store where the store of the account is found
 */
export function webhookProviders(
  account: string | undefined,
  store: InjectionToken<BerbixTokenStore>,
): Provider[] {
  return [
    WebhookHandlers,
    accountProvider(getBerbixWebhookServiceToken(account), BerbixWebhookService, [
      BERBIX_WEBHOOK_SETTINGS,
      WebhookHandlers,
      store,
    ]),
  ];
}
