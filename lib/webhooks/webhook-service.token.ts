import type { InjectionToken } from '@nestjs/common';
import { accountToken } from '../http/index.js';
import { BerbixWebhookService } from './berbix-webhook.service.js';

/**
 * The injection token of an account's BerbixWebhookService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixWebhookServiceToken(name?: string): InjectionToken<BerbixWebhookService> {
  return accountToken(BerbixWebhookService, 'webhook-service', name);
}
