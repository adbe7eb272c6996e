export { BerbixWebhook, BerbixWebhookGuard, BerbixWebhookKind } from './berbix-webhook.guard.js';
export { BerbixWebhookService, type BerbixWebhookRequest } from './berbix-webhook.service.js';
export {
  createBerbixWebhookController,
  type BerbixWebhookControllerOptions,
} from './create-berbix-webhook-controller.js';
export { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
export { OnBerbixWebhook } from './on-berbix-webhook.decorator.js';
export type { BerbixWebhookOutcome } from './webhook-deliveries.js';
export { getBerbixWebhookServiceToken } from './webhook-service.token.js';
export { signatureOf } from './webhook-signature.js';
export type { BerbixWebhookOptions, BerbixWebhookSecrets } from './webhook.options.js';
export { webhookProviders } from './webhook.providers.js';
export { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.settings.js';
