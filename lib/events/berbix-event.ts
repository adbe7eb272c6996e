import type { BerbixError, BerbixErrorCode } from '../errors/index.js';
import type { WebhookKind } from '../wire/index.js';

/**
 * Why a refresh token was exchanged: the tokens had expired or would soon, or one was missing
 * (`expired`), they were renewed in the background before that (`proactive`), the API had refused the
 * access token (`refused`), or a caller required new ones (`forced`).
 */
export type BerbixExchangeReason = 'expired' | 'proactive' | 'refused' | 'forced';

/** The transaction of an event; the id is missing while it is not known. */
interface TransactionDetails {
  readonly transactionId?: string | undefined;
}

/** Whose tokens they are, as far as it is known. */
interface OwnerDetails extends TransactionDetails {
  readonly customerUid?: string | undefined;
}

interface CustomerDetails extends TransactionDetails {
  readonly customerUid: string;
}

/** What an event says about a failure; never its message, which is for people. */
interface FailureDetails {
  readonly code: BerbixErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/** What an event says about an error. */
export function failureOf({ code, retryable }: BerbixError): FailureDetails {
  return { code, retryable };
}

interface ExchangeDetails extends TransactionDetails {
  readonly reason: BerbixExchangeReason;
  /** From the request to its answer, with all repetitions, in milliseconds. */
  readonly durationMs: number;
}

interface WebhookDetails {
  readonly webhook: WebhookKind;
}

interface ReadWebhookDetails extends WebhookDetails {
  readonly transactionId: string;
}

/** What each kind of event says. No event has a token, an API secret or a body. */
export interface BerbixEventDetails {
  /** A refresh token was exchanged for new tokens. */
  'token.exchanged': ExchangeDetails;
  /** An exchange failed, after all its repetitions. */
  'token.failed': ExchangeDetails & FailureDetails;
  /** The API has replaced a refresh token; the previous one no longer works. */
  'token.rotated': TransactionDetails;
  /**
   * A new refresh token, of a new transaction or in place of another one, is not saved: the store did
   * not take it, or the process that has it in memory ends. It is lost, unless `onRotation` or a
   * caller has kept it.
   */
  'token.unsaved': OwnerDetails;
  /** The API no longer knows the refresh token of a transaction, or the transaction is gone. */
  'token.dead': OwnerDetails & FailureDetails;
  /** A refresh token that was dead works again. */
  'token.recovered': TransactionDetails;
  /** Tokens were removed from the store, by `forget()` or `erase()`. */
  'token.forgotten': OwnerDetails;
  /** A verification began, with a new transaction. */
  'verification.begun': CustomerDetails;
  /** An unfinished verification was handed out again. */
  'verification.resumed': CustomerDetails;
  /** The API has a result: a `status` webhook with an action was handled. */
  'verification.decided': CustomerDetails & { readonly action: string };
  /** The API failed too often: calls fail immediately until it recovers. */
  'circuit.opened': object;
  /** The API answers again. */
  'circuit.closed': object;
  /** The store failed for the first time since it last answered. */
  'store.failed': FailureDetails;
  /** The store answers again. */
  'store.recovered': object;
  /** The signature and the body of a webhook are valid. */
  'webhook.accepted': ReadWebhookDetails;
  /** A webhook was refused: it may be a forgery, or a setting is missing. */
  'webhook.rejected': WebhookDetails & FailureDetails;
  /** The handlers of a webhook have succeeded. */
  'webhook.handled': ReadWebhookDetails;
  /** A handler has failed; Berbix may send the webhook again. */
  'webhook.failed': ReadWebhookDetails;
  /** An equal webhook had been handled before. */
  'webhook.repeated': ReadWebhookDetails;
}

/** The kinds of events. */
export type BerbixEventKind = keyof BerbixEventDetails;

/** One kind of event, or any. */
export type BerbixEvent<K extends BerbixEventKind = BerbixEventKind> = {
  [Each in K]: {
    readonly kind: Each;
    /** When it happened, by the clock of this process. */
    readonly at: Date;
    /** The account, as passed to `forRoot`; `default` if it has no name. */
    readonly account: string;
  } & BerbixEventDetails[Each];
}[K];

/** All kinds; one that is missing does not compile. */
export const EVENT_KINDS = Object.keys({
  'token.exchanged': true,
  'token.failed': true,
  'token.rotated': true,
  'token.unsaved': true,
  'token.dead': true,
  'token.recovered': true,
  'token.forgotten': true,
  'verification.begun': true,
  'verification.resumed': true,
  'verification.decided': true,
  'circuit.opened': true,
  'circuit.closed': true,
  'store.failed': true,
  'store.recovered': true,
  'webhook.accepted': true,
  'webhook.rejected': true,
  'webhook.handled': true,
  'webhook.failed': true,
  'webhook.repeated': true,
} satisfies Record<BerbixEventKind, true>) as readonly BerbixEventKind[];
