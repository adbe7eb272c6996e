import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type ApiJson, toApiJson } from '../http/answers.js';
import { RequestLog } from '../http/request-log.js';
import { ExchangeLog } from '../tokens/exchange-log.js';
import { Transactions } from '../transactions/transactions.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import { presentDelivery, presentRequest } from './bodies.js';
import { SandboxTransactions } from './sandbox-transactions.js';
import { presentExchange, presentTransaction } from './transaction-bodies.js';

/** What an event is about. */
export type EventKind = 'request' | 'delivery' | 'transaction' | 'exchange';

/** Something that happened in the sandbox. */
export interface FeedEvent {
  /** Counts the events of this run. */
  readonly number: number;
  readonly kind: EventKind;
  /** With its secrets. */
  readonly data: ApiJson;
  /** Characters of its data. */
  readonly size: number;
}

const MAX_EVENTS = 1000;
/** Limit for all events together, since customer uids and fields may be long. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** The last 1000 events. Streams read from here at their own pace, so none needs a buffer. */
@Injectable()
export class EventFeed {
  /** An id of another run must not be taken for one of this run. */
  readonly #run = randomUUID().slice(0, 8);
  readonly #events: FeedEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #last = 0;
  #characters = 0;

  constructor(
    @Inject(RequestLog) requests: RequestLog,
    @Inject(SandboxWebhooks) { deliveries }: SandboxWebhooks,
    @Inject(ExchangeLog) exchanges: ExchangeLog,
    @Inject(Transactions) transactions: Transactions,
    @Inject(SandboxTransactions) views: SandboxTransactions,
  ) {
    requests.onEnd((request) =>
      this.#add('request', () => {
        const { headers: _headers, body: _body, url: _url, ...summary } = presentRequest(request);
        return summary;
      }),
    );
    deliveries.onTry((delivery) =>
      this.#add('delivery', () => {
        const { headers: _headers, body: _body, ...summary } = presentDelivery(delivery);
        return summary;
      }),
    );
    exchanges.onChange((exchange) =>
      this.#add('exchange', () => {
        const { transactionId } = exchange;
        return { transaction_id: transactionId, ...presentExchange(exchange) };
      }),
    );
    transactions.onChange((transaction, change) =>
      this.#add('transaction', () => ({
        change,
        ...presentTransaction(views.view(transaction)),
      })),
    );
  }

  /** The number of the last event. */
  get last(): number {
    return this.#last;
  }

  /** The event with this number; undefined if it is not kept any more, or has not happened yet. */
  at(number: number): FeedEvent | undefined {
    const [first] = this.#events;
    return first && this.#events[number - first.number];
  }

  /** The id of an event, for `Last-Event-ID`. */
  idOf(number: number): string {
    return `${this.#run}-${number}`;
  }

  /** The number in an id; undefined unless all events after it are kept. */
  numberOf(id: string): number | undefined {
    const [, run, digits] = /^(\w+)-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(digits);
    const isKept = number === this.#last || this.at(number + 1) !== undefined;
    return run === this.#run && isKept ? number : undefined;
  }

  /** Calls the listener after each event. @returns a function that removes it */
  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What cannot be shown is left out: an event fails nothing that it tells of. */
  #add(kind: EventKind, present: () => ApiJson): void {
    let [data, size]: [ApiJson, number] = [null, 0];
    try {
      data = present();
      size = toApiJson(data).length;
    } catch {
      return;
    }
    this.#last += 1;
    this.#events.push({ number: this.#last, kind, data, size });
    this.#characters += size;
    this.#trim();
    for (const listener of this.#listeners) listener();
  }

  /** The latest event always stays, so that streams that are up to date get it. */
  #trim(): void {
    while (
      this.#events.length > MAX_EVENTS ||
      (this.#characters > MAX_CHARACTERS && this.#events.length > 1)
    ) {
      this.#characters -= this.#events.shift()?.size ?? 0;
    }
  }
}
