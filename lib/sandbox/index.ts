export { BerbixSandbox, type BerbixSandboxReady } from './berbix-sandbox.js';
export type { ApiJson } from './api-json.js';
export { SandboxOptionError } from './errors/sandbox-option.error.js';
export type {
  AnswerFault,
  FaultTarget,
  FloodFault,
  HangFault,
  HtmlFault,
  LatencyFault,
  Processable,
  ResetFault,
  SandboxFault,
  StatusFault,
  TrickleFault,
  TruncateFault,
} from './faults/fault.js';
export { SandboxFaults } from './faults/sandbox-faults.js';
export { type RecordedRequest, RequestLog } from './requests/request-log.js';
export { SandboxClock } from './sandbox-clock.js';
export type {
  ApiOnlyDocument,
  ApiOnlySelfie,
  BerbixSandboxOptions,
  RefreshTokenMode,
} from './sandbox.options.js';
export type { TemplateKeys } from './transactions/template-keys.js';
export { DeliveryLog, type WebhookDelivery } from './webhooks/delivery-log.js';
export { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';
export type { WebhookFault } from './webhooks/webhook-fault.js';
export type { SandboxWebhooksOptions, WebhookOptions } from './webhooks/webhook.options.js';
export type { WebhookSecrets } from './webhooks/webhook.settings.js';
export type { WebhookKind } from '../wire/index.js';
