import { API_PATHS } from '../../wire/index.js';
import { type RefreshToken, TokenReader } from '../auth/tokens.js';
import type { RecordedRequest, RequestLog } from '../http/request-log.js';

/**
 * What happened to the refresh token that was sent.
 *
 * - `untouched`: the sandbox did not get as far, because of a fault or a refusal.
 * - `kept`: it is still the current one.
 * - `rotated`: this exchange replaced it, even if the answer with the new one was lost.
 * - `in_grace`: it had been replaced before, and was accepted during its grace period.
 * - `stale`: it had been replaced before, and was refused.
 * - `revoked`: it had been revoked, and was refused.
 */
export type RefreshTokenFate = 'untouched' | 'kept' | 'rotated' | 'in_grace' | 'stale' | 'revoked';

/** One exchange of a refresh token: a request to `/v0/tokens` with a token of this sandbox. */
export interface RecordedExchange {
  /** The `id` of its request. */
  readonly requestId: string;
  readonly transactionId: string;
  /** Which refresh token of the transaction was sent: 0 is the first one, 1 replaced it. */
  readonly generation: number;
  /** The first 200 characters. */
  readonly userAgent: string | undefined;
  /** When the request arrived, by the clock of the sandbox. */
  readonly startedAt: Date;
  /** Milliseconds until the answer or the connection ended; `undefined` until then. */
  readonly durationMs: number | undefined;
  /**
   * - `pending`: it has not ended.
   * - `answered`: with tokens.
   * - `failed`: with a refusal, with less than an answer, or not at all.
   * - `replayed`: the refresh token had been replaced before; whether that was accepted or not.
   */
  readonly outcome: 'pending' | 'answered' | 'failed' | 'replayed';
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;
  readonly sentToken: RefreshTokenFate;
  /** When its access token expires; `undefined` if it failed, or has not ended. */
  readonly tokensExpireAt: Date | undefined;
  /** Whether another exchange of the same refresh token was pending at the same time. */
  readonly overlaps: boolean;
}

type OpenExchange = { -readonly [Key in keyof RecordedExchange]: RecordedExchange[Key] };

/** An exchange whose request has not ended. */
interface PendingExchange {
  readonly exchange: OpenExchange;
  readonly token: RefreshToken;
  /** When the tokens that are being sent expire. */
  tokensExpireAt: Date | undefined;
}

const MAX_EXCHANGES = 10_000;
/** Old exchanges are dropped in batches, since dropping one moves all others in memory. */
const BATCH = 1000;
const MAX_EXCHANGES_SHOWN = 100;
const MAX_USER_AGENT = 200;

/**
 * The last 10,000 exchanges, and up to 1000 more. They begin and end with their requests rather than
 * in the controller, since a fault may answer instead of it, or lose its answer.
 */
export class ExchangeLog {
  #exchanges: OpenExchange[] = [];
  /** By the id of their request. */
  readonly #pending = new Map<string, PendingExchange>();
  readonly #listeners: ((exchange: RecordedExchange) => void)[] = [];

  constructor(
    private readonly tokens: TokenReader,
    requests: RequestLog,
  ) {
    requests.onBody((request) => this.#begin(request));
    requests.onEnd((request, answered) => this.#end(request, answered));
  }

  /** The last 100 of a transaction, oldest first. */
  of(transactionId: string): RecordedExchange[] {
    return this.#exchanges
      .filter((exchange) => exchange.transactionId === transactionId)
      .slice(-MAX_EXCHANGES_SHOWN)
      .map((exchange) => ({ ...exchange }));
  }

  /** Forgets all exchanges, including pending ones. */
  clear(): void {
    this.#exchanges = [];
    this.#pending.clear();
  }

  /** Calls the listener when an exchange begins, ends, or first overlaps with another. */
  onChange(listener: (exchange: RecordedExchange) => void): void {
    this.#listeners.push(listener);
  }

  /** The refresh token of a pending exchange, which has been verified. */
  tokenOf({ id }: RecordedRequest): RefreshToken | undefined {
    return this.#pending.get(id)?.token;
  }

  /** Called when the exchange has determined what happens to the refresh token. */
  processed({ id }: RecordedRequest, fate: RefreshTokenFate): void {
    // The client may have gone in the meantime.
    const exchange =
      this.#pending.get(id)?.exchange ??
      this.#exchanges.findLast(({ requestId }) => requestId === id);
    if (exchange) exchange.sentToken = fate;
  }

  /** Called when tokens were issued, before they are sent. */
  issued({ id }: RecordedRequest, expiresAt: number | undefined): void {
    const pending = this.#pending.get(id);
    if (pending && expiresAt !== undefined) pending.tokensExpireAt = new Date(expiresAt);
  }

  #begin(request: RecordedRequest): void {
    const token = this.#tokenIn(request);
    if (!token) return;
    const { transactionId, generation } = token;
    let overlaps = false;
    for (const { exchange: rival } of this.#pending.values()) {
      if (rival.transactionId !== transactionId || rival.generation !== generation) continue;
      overlaps = true;
      if (rival.overlaps) continue;
      rival.overlaps = true;
      this.#report(rival);
    }
    const exchange: OpenExchange = {
      requestId: request.id,
      transactionId,
      generation,
      userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT),
      startedAt: request.receivedAt,
      durationMs: undefined,
      outcome: 'pending',
      status: undefined,
      sentToken: 'untouched',
      tokensExpireAt: undefined,
      overlaps,
    };
    this.#pending.set(request.id, { exchange, token, tokensExpireAt: undefined });
    if (this.#exchanges.length === MAX_EXCHANGES + BATCH) {
      this.#exchanges.splice(0, BATCH);
    }
    this.#exchanges.push(exchange);
    this.#report(exchange);
    // The client may have gone while the end of the body arrived.
    if (request.durationMs !== undefined) this.#end(request, false);
  }

  #end({ id, status, durationMs }: RecordedRequest, answered: boolean): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const { exchange, tokensExpireAt } = pending;
    this.#pending.delete(id);
    exchange.status = status;
    exchange.durationMs = durationMs;
    exchange.outcome = outcomeOf(exchange, answered);
    if (answered && isSuccess(status)) exchange.tokensExpireAt = tokensExpireAt;
    this.#report(exchange);
  }

  #report(exchange: RecordedExchange): void {
    for (const listener of this.#listeners) listener(exchange);
  }

  /** The signed refresh token in the body, whatever the credentials of the request are. */
  #tokenIn({ method, path, body }: RecordedRequest): RefreshToken | undefined {
    if (method !== 'POST' || !TOKENS_PATH.test(path)) return undefined;
    const sent = refreshTokenIn(body);
    const token = sent === undefined ? undefined : this.tokens.read(sent);
    return token?.kind === 'refresh' ? token : undefined;
  }
}

/** As routers see it. */
const TOKENS_PATH = new RegExp(`^${API_PATHS.tokens}/?$`, 'i');

function refreshTokenIn(body: string): string | undefined {
  try {
    const { refresh_token: token } = JSON.parse(body) as { refresh_token?: unknown };
    return typeof token === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}

function outcomeOf(
  { sentToken, status }: RecordedExchange,
  answered: boolean,
): RecordedExchange['outcome'] {
  if (sentToken === 'in_grace' || sentToken === 'stale') return 'replayed';
  return answered && isSuccess(status) ? 'answered' : 'failed';
}

function isSuccess(status = 0): boolean {
  return status >= 200 && status < 300;
}
