import { setImmediate } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AxiosAdapter, AxiosResponse, CancelToken } from 'axios';
import { Observable, firstValueFrom } from 'rxjs';
import { drained } from '../concurrency/index.js';
import { isBerbixError } from '../errors/index.js';
import { VERSION } from '../version.js';
import { mapAnswer } from './answer.mapper.js';
import { ApiSecret, bearerAuthorization } from './api-secret.js';
import { fromResponse, fromFailure, type AttemptResult } from './attempt-result.js';
import { backoff } from './backoff.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { Cancellation } from './cancellation.js';
import type { ConcealedOptions } from './concealed-options.js';
import { openConnection, type Connection } from './connection.js';
import { mapFailure, type Route } from './failure.mapper.js';
import { httpSettings } from './http-options.validation.js';
import type { BerbixHttpModuleOptions, BerbixHttpSettings } from './http.options.js';
import { leanAxios } from './lean-axios.js';
import { OverloadGuard } from './overload-guard.js';
import { undiciAdapter } from './undici.adapter.js';
import { WireFailure } from './wire-failure.js';

/** Where the options of one account are found; `Symbol.for`, so that two copies of this package agree. */
export const BERBIX_OPTIONS = Symbol.for('berbix:options');

/** No answer of the API comes near it; what is larger is not from the API. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The one way onto the wire: every call of one account goes through here, over an HttpService on an
 * axios instance of its own. Deadlines, repetition, circuit breaker and the making of errors are
 * nowhere else.
 */
@Injectable()
export class BerbixHttp implements OnApplicationShutdown {
  readonly #settings: BerbixHttpSettings;
  readonly #secret: ApiSecret;
  readonly #connection: Connection;
  readonly #route: Route;
  readonly #http: HttpService;
  readonly #guard: OverloadGuard;
  readonly #calls = new Set<Cancellation>();
  /** Settle as what was sent is answered. */
  readonly #answers = new Set<Promise<AxiosResponse>>();

  /** @throws {BerbixConfigurationError} that names the wrong option */
  constructor(@Inject(BERBIX_OPTIONS) concealed: ConcealedOptions<BerbixHttpModuleOptions>) {
    const options = concealed.reveal();
    this.#settings = httpSettings(options);
    this.#secret = new ApiSecret(options.apiSecret);
    this.#connection = openConnection(this.#settings);
    const { proxy } = this.#settings.http;
    this.#route = {
      origin: this.#settings.origin,
      proxy: proxy === undefined ? undefined : new URL(proxy).origin,
    };
    this.#guard = new OverloadGuard(this.#settings.http.connections);
    const { dispatcher } = this.#connection;
    const adapter = undiciAdapter(dispatcher, this.#settings.origin, MAX_ANSWER_BYTES);
    const instance = leanAxios(this.#noting(adapter));
    this.#settings.http.configureAxios?.(instance);
    this.#http = new HttpService(instance);
  }

  /** How much happens at once and how long a call may take, in milliseconds. */
  get limits(): { connections: number; totalTimeoutMs: number } {
    const { http, totalTimeoutMs } = this.#settings;
    return { connections: http.connections, totalTimeoutMs };
  }

  /**
   * Sends a request when subscribed to; emits once what is read of the 2xx answer and completes.
   * Unsubscribing aborts it, wherever it is.
   *
   * @param read makes a value of the answer; what it throws ends the call, without repetition
   * @throws {BerbixError} (on the Observable) of the class that fits
   */
  send<T>(request: BerbixRequest, read: (answer: BerbixAnswer) => T): Observable<T> {
    return new Observable((subscriber) => {
      const call = new Cancellation();
      this.#calls.add(call);
      const totalTimeoutMs = request.timeoutMs ?? this.#settings.totalTimeoutMs;
      const fail = (thrown: unknown): void => {
        const isWire = thrown instanceof WireFailure;
        const error = isWire ? mapFailure(request, thrown, totalTimeoutMs, this.#route) : thrown;
        const mayHaveActed = call.mayHaveActed || (isWire && thrown.sent);
        subscriber.error(isBerbixError(error) && !mayHaveActed ? error.withoutEffect() : error);
      };
      const timer = setTimeout(() => {
        const failure = new WireFailure('total-timeout', call.stage);
        call.cancel('total-timeout');
        fail(failure);
      }, totalTimeoutMs);
      this.#repeat(request, read, call, performance.now() + totalTimeoutMs).then((value) => {
        subscriber.next(value);
        subscriber.complete();
      }, fail);
      return () => {
        clearTimeout(timer);
        call.cancel('unsubscribed');
        this.#calls.delete(call);
      };
    });
  }

  /** Lets answers under way come in, for a while, then ends all calls and closes the connections. */
  async onApplicationShutdown(): Promise<void> {
    // Those of a user's dispatcher too, which is not closed.
    await drained(Promise.allSettled([this.#connection.close(), ...this.#answers]));
    // What came last still has to reach its caller.
    await setImmediate();
    for (const call of this.#calls) call.cancel('shutdown');
    await this.#connection.destroy();
  }

  /** The same adapter; its answers are noted as long as they are outstanding. */
  #noting(adapter: AxiosAdapter): AxiosAdapter {
    return async (config) => {
      const answer = adapter(config);
      this.#answers.add(answer);
      try {
        return await answer;
      } finally {
        this.#answers.delete(answer);
      }
    };
  }

  async #repeat<T>(
    request: BerbixRequest,
    read: (answer: BerbixAnswer) => T,
    call: Cancellation,
    deadline: number,
  ): Promise<T> {
    const body = encode(request.body);
    const make = (): Promise<AttemptResult> => this.#attempt(request, body, call);
    const isLong = request.timeoutMs !== undefined;
    for (let repetition = 0; ; repetition++) {
      const attempted = await this.#guard.run({ make, call, deadline, isLong });
      if ('answer' in attempted) {
        call.mayHaveActed = true;
        return read(attempted.answer);
      }
      const { error, mayHaveActed } = attempted;
      call.mayHaveActed ||= mayHaveActed;
      const mayRepeat = request.repeat === 'always' || !mayHaveActed;
      if (!error.retryable || !mayRepeat || repetition >= this.#settings.retry.limit) throw error;
      const pause = backoff(repetition, error.retryAfterMs, this.#settings.retry);
      if (performance.now() + pause >= deadline) throw error;
      await call.sleep(pause);
      call.requeue();
    }
  }

  async #attempt(
    request: BerbixRequest,
    body: string | Uint8Array | undefined,
    call: Cancellation,
  ): Promise<AttemptResult> {
    const attempt = call.child();
    const timeoutMs = request.timeoutMs ?? this.#settings.timeoutMs;
    const timer = setTimeout(() => attempt.cancel('timeout'), timeoutMs);
    const startedAt = Date.now();
    const began = performance.now();
    try {
      // Abandoned while it waited for its turn.
      attempt.throwIfRequested();
      attempt.stage = 'authorizing';
      const source =
        request.bearer === undefined
          ? this.#secret.authorization()
          : bearerAuthorization(request.bearer);
      const { header, secrets } = source instanceof Promise ? await attempt.race(source) : source;
      attempt.stage = 'intercepting';
      const response = await attempt.race(this.#post(request, body, header, attempt));
      const mapped = mapAnswer(request, response, startedAt, [
        ...secrets,
        ...(request.secrets ?? []),
      ]);
      return fromResponse(request, mapped);
    } catch (thrown) {
      // One that waited long for its turn may have had next to no time.
      const hadTime =
        performance.now() - began >= Math.min(timeoutMs, this.#settings.totalTimeoutMs) / 2;
      return fromFailure(request, thrown, {
        timeoutMs,
        hadTime,
        stage: attempt.stage,
        route: this.#route,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #post(
    request: BerbixRequest,
    body: string | Uint8Array | undefined,
    authorization: string,
    attempt: Cancellation,
  ): Promise<AxiosResponse<Buffer>> {
    return firstValueFrom(
      this.#http.request<Buffer>({
        method: request.method,
        url: request.path,
        data: body,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'content-type': 'application/json',
          'user-agent': `nestjs-berbix/${VERSION}`,
          authorization,
        },
        cancelToken: attempt as unknown as CancelToken,
      }),
    );
  }
}

function encode(body: object | undefined): string | Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
}
