import { Observable, defer, of } from 'rxjs';
import type { BerbixError } from '../errors/index.js';
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
 * A Berbix in memory, for unit tests: the services of this package as they are, without a network
 * below. Time is that of the process: a {@link FakeClock}, or the fake timers of a test runner, age its
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
  /** Where the services keep tokens: in memory, of this fake alone. */
  readonly store: BerbixTokenStore = new InMemoryTokenStore();
  /** To provide as `BerbixTokenService`. */
  readonly tokens: BerbixTokenService;
  /** To provide as `BerbixTransactionService`. */
  readonly transactions: BerbixTransactionService;
  /** To provide as `BerbixVerificationService`. */
  readonly verifications: BerbixVerificationService;
  /** What was asked of the API, in order; empty it as you like. */
  readonly calls: FakeCall[] = [];

  readonly #api = new FakeApi();
  readonly #failures: BerbixError[] = [];

  constructor() {
    const http = {
      limits: LIMITS,
      send: <T>(request: BerbixRequest, read: (answer: BerbixAnswer) => T) =>
        this.#send(request, read),
    } as unknown as BerbixHttp;
    const options = { account: 'fake' };
    const store = openStore(this.store, options);
    const sealed = openRecords(store, options);
    this.tokens = new BerbixTokenService(http, store, sealed, options);
    this.transactions = new BerbixTransactionService(http, this.tokens);
    this.verifications = new BerbixVerificationService(this.tokens, this.transactions, sealed);
  }

  /**
   * Completes the customer's latest transaction, as if he had gone through it.
   *
   * @param action such as `accept`, `reject` or `review`
   * @throws {Error} when there is none
   */
  finish(customerUid: string, action: string, flags: string[] = []): void {
    this.#api.finish(customerUid, action, flags);
  }

  /** Lets the next call fail with an error, such as `new BerbixServerError('...', { retryable: true })`. */
  failNext(error: BerbixError): void {
    this.#failures.push(error);
  }

  #send<T>(request: BerbixRequest, read: (answer: BerbixAnswer) => T): Observable<T> {
    return defer(() => {
      const { method, path } = request;
      this.calls.push({ method, path });
      const failure = this.#failures.shift();
      if (failure !== undefined) throw failure;
      return of(read({ body: this.#api.answer(request), startedAt: Date.now() }));
    });
  }
}
