/**
 * A local Berbix, in a test or a process of its own.
 *
 * @module nestjs-berbix/sandbox
 */

export { BerbixSandbox, type BerbixSandboxReady } from './berbix-sandbox.js';
export type { ApiJson } from './http/api-json.js';
export { SandboxOptionError } from './options.js';
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
export { type PendingFault, SandboxFaults } from './faults/sandbox-faults.js';
export { type RecordedRequest, RequestLog } from './http/request-log.js';
export type { RecordedResponse } from './http/response-recorder.js';
export {
  type CreatedSandboxTransaction,
  type SandboxTransaction,
  type SandboxTransactionDetails,
  SandboxTransactions,
} from './control/sandbox-transactions.js';
export type {
  NewSandboxTransaction,
  SandboxResult,
  SandboxTransactionQuery,
} from './control/transaction-checks.js';
export type {
  DeliverySummary,
  RequestSummary,
  SandboxEvent,
  SandboxEventKind,
  SandboxEventOf,
} from './control/sandbox-event.js';
export { SandboxEvents } from './control/sandbox-events.js';
export { SandboxClock } from './clock.js';
export type {
  ApiOnlyDocument,
  ApiOnlySelfie,
  BerbixSandboxOptions,
  RefreshTokenMode,
} from './options.js';
export type { SandboxState } from './storage/state-document.js';
export type { RecordedExchange, RefreshTokenFate } from './tokens/exchange-log.js';
export type { TemplateKeys } from './transactions/templates.js';
export { DeliveryLog, type WebhookDelivery } from './webhooks/delivery-log.js';
export { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';
export type { SignatureCheck, WebhookFault } from './webhooks/webhook.js';
export type { SandboxWebhooksOptions, WebhookOptions } from './options.js';
export type { WebhookSecrets } from './settings.js';
export type { WebhookKind } from '../wire/index.js';
