import { setImmediate } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AxiosResponse, CancelToken } from 'axios';
import type { Observable } from 'rxjs';
import { InFlight, LinkedList, NoTurn, drained, type Caller } from '../concurrency/index.js';
import { BerbixConfigurationError, isBerbixError } from '../errors/index.js';
import { EventBus } from '../events/index.js';
import { BERBIX_OPTIONS, ConcealedOptions } from '../options/index.js';
import { instruments } from '../telemetry/index.js';
import { VERSION } from '../version.js';
import { API_PATHS } from '../wire/index.js';
import { mapAnswer } from './answer.mapper.js';
import { ApiSecret, bearerAuthorization } from './api-secret.js';
import {
  fromResponse,
  fromFailure,
  type AttemptResult,
  type FailedAttempt,
} from './attempt-result.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { Call, type Attempt } from './call.js';
import { createConnection, type Connection } from './connection.js';
import { mapFailure, type Route, type TimeLimits } from './failure.mapper.js';
import { httpSettings } from './http-options.validation.js';
import type { BerbixHttpModuleOptions, BerbixHttpSettings } from './http.options.js';
import { OverloadGuard, mapNoTurn } from './overload-guard.js';
import { warnOfNoProxy } from './proxy.js';
import { backoff } from './retry.js';
import { leanAxios, undiciAdapter } from './undici.adapter.js';
import { WireFailure } from './wire-failure.js';

/** Limit of a body; any answer of the API is much smaller. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** What operators watch. */
interface HttpState {
  readonly waiting: number;
  readonly isCircuitOpen: boolean;
  readonly secretProblem: ApiSecret['problem'];
}

/**
 * Sends every call of one account, over an HttpService with its own axios instance. Time limits,
 * repetition, circuit breaker and the mapping of errors are only here.
 */
@Injectable()
export class BerbixHttp implements OnApplicationShutdown {
  readonly #settings: BerbixHttpSettings;
  readonly #secret: ApiSecret;
  readonly #connection: Connection;
  readonly #route: Route;
  readonly #http: HttpService;
  readonly #guard: OverloadGuard;
  readonly #account: string;
  readonly #calls = new LinkedList<Call>();
  /** The requests that were sent and not answered yet. */
  readonly #answers = new InFlight();

  /** @throws {BerbixConfigurationError} that names the wrong option */
  constructor(
    @Inject(BERBIX_OPTIONS) concealed: ConcealedOptions<BerbixHttpModuleOptions>,
    @Inject(EventBus) events: EventBus,
  ) {
    const options = concealed.reveal();
    this.#settings = httpSettings(options);
    this.#secret = new ApiSecret(options.apiSecret);
    this.#account = events.account;
    this.#connection = createConnection(this.#settings);
    const { origin, http } = this.#settings;
    this.#route = { origin, proxy: http.proxy };
    if (http.proxy === undefined && http.dispatcher === undefined) {
      warnOfNoProxy(options.http?.proxy, origin);
    }
    this.#guard = new OverloadGuard(http.connections, events);
    const instance = leanAxios(
      undiciAdapter({
        connection: this.#connection,
        origin,
        maxAnswerBytes: MAX_ANSWER_BYTES,
        answers: this.#answers,
      }),
    );
    http.configureAxios?.(instance);
    this.#http = new HttpService(instance);
  }

  /** The maximum number of concurrent calls, and the time limit of a call in milliseconds. */
  get limits(): { connections: number; totalTimeoutMs: number } {
    const { http, totalTimeoutMs } = this.#settings;
    return { connections: http.connections, totalTimeoutMs };
  }

  /**
   * What health and metrics show: how many calls wait for a connection, whether the circuit is open,
   * and what is wrong with the API secret.
   */
  get state(): HttpState {
    return { ...this.#guard.state, secretProblem: this.#secret.problem };
  }

  /**
   * Resolves to the value of the 2xx answer.
   *
   * @param read makes the value of the answer; an error that it throws is not repeated
   * @param caller aborts the request when they leave, and may have a time limit of their own; omit it
   * if there is nobody
   * @throws {BerbixError} (as a rejection)
   */
  async send<T>(
    request: BerbixRequest,
    read: (answer: BerbixAnswer) => T,
    caller?: Caller,
  ): Promise<T> {
    const body = encode(request.body);
    const isLong = request.timeoutMs !== undefined;
    const limits = limitsOf(request, this.#settings, caller);
    // A limit of the caller also covers what came before, such as getting fresh tokens.
    const passedMs = caller?.timeoutMs === undefined ? 0 : performance.now() - caller.askedAt;
    const call = new Call(limits.totalTimeoutMs - passedMs, limits, isLong);
    const entry = this.#calls.append(call);
    if (caller !== undefined) caller.onLeave = () => call.cancel('unsubscribed');
    const timer = setTimeout(() => call.cancel('total-timeout'), call.timeoutMs);
    const attempt = (): Promise<AttemptResult> => this.#attempt(request, body, call);
    try {
      for (let repetition = 0; ; repetition++) {
        const attempted = await this.#guard.run(call, attempt);
        if (!('answer' in attempted)) {
          await this.#pause(request, call, attempted, repetition);
          continue;
        }
        call.mayHaveActed = true;
        return read(attempted.answer);
      }
    } catch (thrown) {
      const error = this.#errorOf(request, thrown, limits);
      throw isBerbixError(error) && !call.mayHaveActed ? error.withoutEffect() : error;
    } finally {
      clearTimeout(timer);
      // Also aborts what an interceptor may have left in flight.
      call.cancel('unsubscribed');
      this.#calls.remove(entry);
    }
  }

  /**
   * Sends nothing more. Waits up to five seconds for answers in flight, then ends all calls with a
   * `BerbixUnavailableError`, and closes the connections.
   */
  async onApplicationShutdown(): Promise<void> {
    // Also wait for answers of the user's own dispatcher, which is not closed.
    await drained(Promise.allSettled([this.#connection.close(), this.#answers.none()]));
    // Let the last answers reach their callers.
    await setImmediate();
    for (let entry = this.#calls.first; entry !== undefined; entry = entry.after) {
      entry.value.cancel('shutdown');
    }
    await this.#connection.destroy();
  }

  /** Waits before the next attempt. @throws {BerbixError} of this one, if it was the last one */
  async #pause(
    request: BerbixRequest,
    call: Call,
    { error, mayHaveActed, isLasting = false }: FailedAttempt,
    repetition: number,
  ): Promise<void> {
    call.mayHaveActed ||= mayHaveActed;
    const mayRepeat = !isLasting && (request.repeat === 'always' || !mayHaveActed);
    if (!error.retryable || !mayRepeat || repetition >= this.#settings.retry.limit) throw error;
    const pause = backoff(repetition, error.retryAfterMs, this.#settings.retry);
    if (performance.now() + pause >= call.deadline) throw error;
    instruments()?.retries.add(1, { 'error.type': error.code, 'berbix.account': this.#account });
    call.requeue();
    await call.sleep(pause);
  }

  /** The error of what ended the call while it waited, for its turn or in a pause. */
  #errorOf(request: BerbixRequest, thrown: unknown, limits: TimeLimits): unknown {
    const reason = thrown instanceof NoTurn ? mapNoTurn(thrown) : thrown;
    return reason instanceof WireFailure
      ? mapFailure(request, reason, limits, this.#route)
      : reason;
  }

  async #attempt(
    request: BerbixRequest,
    body: string | Uint8Array | undefined,
    call: Call,
  ): Promise<AttemptResult> {
    const attempt = call.begin();
    const { limits } = call;
    const timer = setTimeout(() => attempt.cancel('timeout'), limits.timeoutMs);
    const startedAt = Date.now();
    const began = performance.now();
    try {
      // Throw if the caller has left while it waited for its turn.
      attempt.throwIfRequested();
      attempt.stage = 'authorizing';
      const source =
        request.bearer === undefined
          ? this.#secret.authorization()
          : bearerAuthorization(request.bearer);
      const { header, secrets } = source instanceof Promise ? await attempt.race(source) : source;
      attempt.stage = 'intercepting';
      const response = await attempt.first(this.#post(request, body, header, attempt));
      const answer = mapAnswer(request, response, startedAt, secrets);
      if (request.bearer === undefined) {
        const refreshToken = request.path === API_PATHS.tokens ? request.subject : undefined;
        this.#secret.answered(answer, refreshToken);
      }
      return fromResponse(request, answer);
    } catch (thrown) {
      // An attempt that waited long for its turn, or of a hurried call, may have had almost no time.
      const { timeoutMs, totalTimeoutMs } = this.#settings;
      const usualMs = Math.min(request.timeoutMs ?? timeoutMs, totalTimeoutMs);
      const hadTime = performance.now() - began >= usualMs / 2;
      const { stage } = attempt;
      const end = { limits, hadTime, stage, route: this.#route };
      const failed = fromFailure(request, thrown, end);
      const isOfSecret =
        stage === 'authorizing' && failed.error instanceof BerbixConfigurationError;
      if (isOfSecret && (failed.error === thrown || hadTime)) this.#secret.failed();
      return failed;
    } finally {
      clearTimeout(timer);
    }
  }

  #post(
    request: BerbixRequest,
    body: string | Uint8Array | undefined,
    authorization: string,
    attempt: Attempt,
  ): Observable<AxiosResponse<Buffer>> {
    return this.#http.request<Buffer>({
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
    });
  }
}

/** The time limits of a call; its caller may have set the total one. */
function limitsOf(
  request: BerbixRequest,
  settings: BerbixHttpSettings,
  caller: Caller | undefined,
): TimeLimits {
  const own = caller?.timeoutMs ?? request.timeoutMs;
  const { timeoutMs, totalTimeoutMs } = settings;
  if (own === undefined) return { timeoutMs, totalTimeoutMs, isOwn: false };
  const isLong = request.timeoutMs !== undefined;
  return { timeoutMs: isLong ? own : timeoutMs, totalTimeoutMs: own, isOwn: true };
}

function encode(body: object | undefined): string | Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
}
