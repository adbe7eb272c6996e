import type { ApiJson } from '../http/api-json.js';
import type { RecordedRequest } from '../http/request-log.js';
import type { RecordedExchange } from '../tokens/exchange-log.js';
import type { TransactionChange } from '../transactions/transactions.js';
import type { WebhookDelivery } from '../webhooks/delivery-log.js';
import { presentDeliverySummary, presentRequestSummary } from './bodies.js';
import type { StateChange } from './sandbox-state.service.js';
import type { SandboxTransaction } from './sandbox-transactions.js';
import { presentExchange, presentTransaction } from './transaction-bodies.js';

/** Something that happened in the sandbox; its `kind` says what. */
export type SandboxEvent =
  /** A request was answered, or its connection ended; `sandbox.requests.find(id)` has all of it. */
  | { readonly kind: 'request'; readonly request: RequestSummary }
  /** An exchange of a refresh token began, ended, or was first overlapped by another. */
  | { readonly kind: 'exchange'; readonly exchange: RecordedExchange }
  /** A transaction was created, changed or deleted. */
  | {
      readonly kind: 'transaction';
      readonly change: TransactionChange;
      readonly transaction: SandboxTransaction;
    }
  /** An attempt to deliver a webhook has ended; `sandbox.deliveries.find(id)` has all of it. */
  | { readonly kind: 'delivery'; readonly delivery: DeliverySummary }
  /** The clock was moved. */
  | { readonly kind: 'clock'; readonly now: Date }
  /** A fault was added, used or removed, or has ended; `pending` is the number that is left. */
  | { readonly kind: 'faults'; readonly pending: number }
  /** The whole state was replaced. */
  | { readonly kind: 'state'; readonly change: StateChange };

/** A request without what may be large. */
export type RequestSummary = Omit<RecordedRequest, 'url' | 'headers' | 'body' | 'response'>;

/** A webhook without what may be large. */
export type DeliverySummary = Omit<WebhookDelivery, 'headers' | 'body'>;

/** What an event is about. */
export type SandboxEventKind = SandboxEvent['kind'];

/** The events of a kind. */
export type SandboxEventOf<Kind extends SandboxEventKind> = Extract<SandboxEvent, { kind: Kind }>;

/** The data of an event in the style of the API. */
export function presentEvent(event: SandboxEvent): ApiJson {
  return (PRESENTERS[event.kind] as (event: SandboxEvent) => ApiJson)(event);
}

const PRESENTERS: {
  readonly [Kind in SandboxEventKind]: (event: SandboxEventOf<Kind>) => ApiJson;
} = {
  request: ({ request }) => presentRequestSummary(request),
  exchange: ({ exchange }) => ({
    transaction_id: exchange.transactionId,
    ...presentExchange(exchange),
  }),
  transaction: ({ change, transaction }) => ({ change, ...presentTransaction(transaction) }),
  delivery: ({ delivery }) => presentDeliverySummary(delivery),
  clock: ({ now }) => ({ now: now.toISOString() }),
  faults: ({ pending }) => ({ pending }),
  state: ({ change }) => ({ change }),
};
