import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { SandboxClock } from '../clock.js';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import { type RecordedRequest, RequestLog } from '../http/request-log.js';
import { ExchangeLog } from '../tokens/exchange-log.js';
import { Transactions } from '../transactions/transactions.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import type { RequestSummary, SandboxEvent } from './sandbox-event.js';
import { SandboxStateService } from './sandbox-state.service.js';
import { SandboxTransactions } from './sandbox-transactions.js';

/** An event of the feed. */
export interface FeedEvent {
  /** Counts the events of this run. */
  readonly number: number;
  readonly event: SandboxEvent;
  /** Characters of its texts. */
  readonly size: number;
}

const MAX_EVENTS = 1000;
/** Limit for all events together, since customer uids and fields may be long. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** The last 1000 events. Readers read from here at their own pace, so none needs a buffer. */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  /** An id of another run must not be taken for one of this run. */
  readonly run = randomUUID().slice(0, 8);
  /** Emits `change` after each event, and when it is closed. */
  readonly changes = new EventEmitter().setMaxListeners(0);
  readonly #events: FeedEvent[] = [];
  #last = 0;
  #characters = 0;
  #isClosed = false;

  constructor(
    @Inject(RequestLog) requests: RequestLog,
    @Inject(SandboxWebhooks) { deliveries }: SandboxWebhooks,
    @Inject(ExchangeLog) exchanges: ExchangeLog,
    @Inject(Transactions) transactions: Transactions,
    @Inject(SandboxTransactions) views: SandboxTransactions,
    @Inject(SandboxClock) clock: SandboxClock,
    @Inject(SandboxFaults) faults: SandboxFaults,
    @Inject(SandboxStateService) state: SandboxStateService,
  ) {
    requests.onEnd((request) =>
      this.#add(() => ({ kind: 'request', request: summaryOfRequest(request) })),
    );
    deliveries.onAttempt(({ headers: _headers, body: _body, ...delivery }) =>
      this.#add(() => ({ kind: 'delivery', delivery })),
    );
    exchanges.onChange((exchange) =>
      this.#add(() => ({ kind: 'exchange', exchange: { ...exchange } })),
    );
    transactions.onChange((transaction, change) =>
      this.#add(() => ({ kind: 'transaction', change, transaction: views.view(transaction) })),
    );
    clock.onChange(() => this.#add(() => ({ kind: 'clock', now: new Date(clock.now()) })));
    faults.onChange(() => this.#add(() => ({ kind: 'faults', pending: faults.pending.length })));
    state.onChange((change) => this.#add(() => ({ kind: 'state', change })));
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
    return `${this.run}-${number}`;
  }

  /** The number in an id; undefined unless all events after it are kept. */
  numberOf(id: string): number | undefined {
    const [, run, digits] = /^(\w+)-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(digits);
    const isKept = number === this.#last || this.at(number + 1) !== undefined;
    return run === this.run && isKept ? number : undefined;
  }

  /** Whether no event can follow. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nest calls it when the sandbox closes. */
  onModuleDestroy(): void {
    this.#isClosed = true;
    this.changes.emit('change');
  }

  /** What cannot be shown is left out: an event fails nothing that it tells of. */
  #add(create: () => SandboxEvent): void {
    const added = this.#create(create);
    if (!added) return;
    this.#last = added.number;
    this.#events.push(added);
    this.#characters += added.size;
    this.#trim();
    this.changes.emit('change');
  }

  #create(create: () => SandboxEvent): FeedEvent | undefined {
    try {
      const event = create();
      return { number: this.#last + 1, event, size: charactersIn(event) };
    } catch {
      return undefined;
    }
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

/** In all texts of the value. */
function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + charactersIn(member), 0);
}

function summaryOfRequest(request: RecordedRequest): RequestSummary {
  const { url: _url, headers: _headers, body: _body, response: _response, ...summary } = request;
  return summary;
}
