import type { BerbixError } from '../errors/index.js';
import { BerbixEvents, EventBus } from '../events/index.js';
import type { BerbixAnswer, BerbixHttp, BerbixRequest } from '../http/index.js';
import { InMemoryTokenStore, type BerbixTokenStore } from '../token-store/index.js';
import { BerbixTokenService, openStore, openRecords } from '../tokens/index.js';
import { BerbixTransactionService } from '../transactions/index.js';
import { BerbixVerificationService } from '../verification/index.js';
import { FakeApi } from './fake-api.js';

/** A call that reached the fake. */
export interface FakeCall {
  readonly method: string;
  readonly path: string;
}

const LIMITS = { connections: 32, totalTimeoutMs: 15_000 };

/**
 * A Berbix in memory, for unit tests: the real services of this package, without a network. It uses
 * the clock of the process, so a {@link FakeClock}, or the fake timers of a test runner, expire its
 * tokens.
 *
 * @example
 * ```ts
 * const berbix = new FakeBerbix();
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(BerbixVerificationService)
 *   .useValue(berbix.verifications)
 *   .compile();
 * berbix.finish('ada', 'reject', ['id_expired']);
 * ```
 */
export class FakeBerbix {
  /** The token store of the services: in memory, and only for this fake. */
  readonly store: BerbixTokenStore = new InMemoryTokenStore();
  /** Provide it as `BerbixTokenService`. */
  readonly tokens: BerbixTokenService;
  /** Provide it as `BerbixTransactionService`. */
  readonly transactions: BerbixTransactionService;
  /** Provide it as `BerbixVerificationService`. */
  readonly verifications: BerbixVerificationService;
  /** Provide it as `BerbixEvents`; the account of its events is `fake`. */
  readonly events: BerbixEvents;
  /** The calls of the API, in order; you can clear the list. */
  readonly calls: FakeCall[] = [];

  readonly #api = new FakeApi();
  readonly #failures: BerbixError[] = [];

  constructor() {
    const fake: Pick<BerbixHttp, 'limits' | 'send'> = {
      limits: LIMITS,
      send: (request, read) => this.#send(request, read),
    };
    const http = fake as BerbixHttp;
    const options = { account: 'fake', allowInMemoryStore: true };
    const events = new EventBus(options.account);
    this.events = new BerbixEvents(events);
    const store = openStore(this.store, options, events);
    const sealed = openRecords(store, options);
    this.tokens = new BerbixTokenService(http, store, sealed, options, events);
    this.transactions = new BerbixTransactionService(http, this.tokens);
    this.verifications = new BerbixVerificationService(
      this.tokens,
      this.transactions,
      sealed,
      events,
    );
  }

  /**
   * Completes the customer's latest transaction, as if they had completed the flow.
   *
   * @param action such as `accept`, `reject` or `review`
   * @throws {Error} if there is none
   */
  finish(customerUid: string, action: string, flags: string[] = []): void {
    this.#api.finish(customerUid, action, flags);
  }

  /**
   * Fails the next call with an error, such as `new BerbixServerError('...', { retryable: true })`.
   */
  failNext(error: BerbixError): void {
    this.#failures.push(error);
  }

  async #send<T>(request: BerbixRequest, read: (answer: BerbixAnswer) => T): Promise<T> {
    const { method, path } = request;
    this.calls.push({ method, path });
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    return read({ status: 200, body: this.#api.answer(request), startedAt: Date.now() });
  }
}
