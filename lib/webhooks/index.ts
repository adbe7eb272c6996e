export { BerbixWebhook, BerbixWebhookGuard } from './berbix-webhook.guard.js';
export {
  BerbixWebhookService,
  webhookProviders,
  type BerbixWebhookRequest,
} from './berbix-webhook.service.js';
export {
  createBerbixWebhookController,
  type BerbixWebhookControllerOptions,
} from './create-berbix-webhook-controller.js';
export { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
export { BerbixWebhookKind, OnBerbixWebhook } from './webhook.decorators.js';
export { signBody } from './webhook-signature.js';
export {
  BERBIX_WEBHOOK_SETTINGS,
  WebhookSettings,
  type BerbixWebhookOptions,
} from './webhook.options.js';
