import { SharedRuns, withTimeout, type Caller } from '../concurrency/index.js';
import { isBerbixError } from '../errors/index.js';
import { failureOf, type BerbixExchangeReason, type EventBus } from '../events/index.js';
import type { BerbixAnswer, BerbixHttp, BerbixRequest } from '../http/index.js';
import { deadlineError, isDead, type FreshnessSettings } from '../renewal/index.js';
import { ExchangeSpans, inSpan, runContext, type Span } from '../telemetry/index.js';
import type { BerbixTokens } from '../values/index.js';
import { API_PATHS, REFRESH_GRANT, type TokenRequest } from '../wire/index.js';
import {
  checkTokenAnswer,
  mergeTokens,
  withoutForeignTokens,
  type CheckedTokenAnswer,
} from './token-answer.js';

/** What the first caller of a shared exchange wants. */
interface Wanted {
  readonly before: BerbixTokens;
  readonly reason: BerbixExchangeReason;
  /** Whether they ask for themselves; a renewal decides itself when a refresh token is dead. */
  readonly isDirect: boolean;
  /** The context of its span. */
  readonly parent: ReturnType<typeof runContext>;
}

const EXCHANGE = { method: 'POST', path: API_PATHS.tokens } as const;

const readAnswer = (answer: BerbixAnswer): CheckedTokenAnswer => checkTokenAnswer(EXCHANGE, answer);

/**
 * Exchanges refresh tokens at the API. Callers with the same refresh token share one exchange,
 * which runs in the async context of none of them.
 */
export class TokenExchange {
  readonly #runs = new SharedRuns((wanted: Wanted, caller) => this.#observed(wanted, caller));
  readonly #spans = new ExchangeSpans();
  readonly #http: BerbixHttp;
  readonly #events: EventBus;
  #rotation: FreshnessSettings['rotation'];

  constructor(http: BerbixHttp, rotation: FreshnessSettings['rotation'], events: EventBus) {
    this.#http = http;
    this.#rotation = rotation;
    this.#events = events;
  }

  /** Whether the API replaces refresh tokens, according to the options or to an earlier answer. */
  get replaces(): boolean {
    return this.#rotation !== 'none';
  }

  /**
   * Resolves to the new tokens.
   *
   * @param caller the last one to leave aborts the exchange; omit it if nobody leaves
   */
  run(before: BerbixTokens, reason: BerbixExchangeReason, caller?: Caller): Promise<BerbixTokens> {
    const { refreshToken } = before;
    const wanted = { before, reason, isDirect: caller !== undefined, parent: runContext() };
    const joined = this.#runs.join(refreshToken, wanted, caller);
    this.#spans.link(refreshToken, caller?.span);
    return joined.then(
      (answer) => mergeTokens(EXCHANGE, before, answer),
      (error: object) => {
        throw withoutForeignTokens(EXCHANGE, before, error);
      },
    );
  }

  /** The same, until the caller's own time limit, or `totalTimeoutMs` after they asked (I12). */
  runInTime(before: BerbixTokens, caller: Caller, totalTimeoutMs: number): Promise<BerbixTokens> {
    const leftMs = caller.deadline(totalTimeoutMs) - performance.now();
    return withTimeout(
      () => this.run(before, 'forced', caller),
      leftMs,
      () => {
        caller.leave();
        return deadlineError(caller, totalTimeoutMs);
      },
    );
  }

  /**
   * The API replaces refresh tokens, contrary to the options: from now on, do not retry after a
   * lost answer (I3).
   */
  noticeRotation(): void {
    if (this.#rotation === 'none') this.#rotation = 'strict';
  }

  /** Makes the exchange in a span, and emits an event for its outcome, unless all callers have left. */
  #observed(wanted: Wanted, caller: Caller): Promise<CheckedTokenAnswer> {
    const { before, reason, isDirect, parent } = wanted;
    const { refreshToken, transactionId } = before;
    const startedAt = performance.now();
    const about = (id = transactionId) => ({
      transactionId: id,
      reason,
      durationMs: performance.now() - startedAt,
    });
    const succeeded = (span: Span, tokens: BerbixTokens): void => {
      const isReplaced = tokens.refreshToken !== refreshToken;
      span.setAttribute('berbix.exchange.outcome', isReplaced ? 'rotated' : 'refreshed');
      this.#events.emit('token.exchanged', () => about(tokens.transactionId));
      if (!isReplaced) return;
      this.noticeRotation();
      this.#events.emit('token.rotated', () => ({ transactionId: tokens.transactionId }));
    };
    const failed = (span: Span, error: unknown): void => {
      span.setAttribute('berbix.exchange.outcome', 'failed');
      if (!isBerbixError(error)) return;
      const { refreshToken: sent = refreshToken } = error.tokens ?? {};
      if (sent !== refreshToken) this.noticeRotation();
      if (caller.hasLeft) return;
      this.#events.emit('token.failed', () => ({ ...about(), ...failureOf(error) }));
      if (!isDirect || !isDead(error)) return;
      this.#events.emit('token.dead', () => ({ transactionId, ...failureOf(error) }));
    };
    const exchange = async (span: Span): Promise<CheckedTokenAnswer> => {
      const removeSpan = this.#spans.add(refreshToken, span);
      let answer: CheckedTokenAnswer;
      try {
        answer = await this.#send(refreshToken, caller);
      } catch (error) {
        failed(span, withoutForeignTokens(EXCHANGE, before, error));
        throw error;
      } finally {
        removeSpan();
      }
      try {
        succeeded(span, mergeTokens(EXCHANGE, before, answer));
      } catch (error) {
        // Another caller may know another transaction, or none, so each merges the answer.
        failed(span, error);
      }
      return answer;
    };
    const attributes = { 'berbix.exchange.reason': reason };
    return inSpan('berbix.tokens.exchange', attributes, exchange, parent);
  }

  #send(refreshToken: string, caller: Caller): Promise<CheckedTokenAnswer> {
    return this.#http.send(this.#request(refreshToken), readAnswer, caller);
  }

  #request(refreshToken: string): BerbixRequest {
    return {
      method: EXCHANGE.method,
      path: EXCHANGE.path,
      body: { refresh_token: refreshToken, grant_type: REFRESH_GRANT } satisfies TokenRequest,
      secrets: [refreshToken],
      subject: refreshToken,
      // ASSUMPTION: a second exchange is harmless, since the API is documented as not replacing the
      // refresh token. If it does, the lost answer had the only valid one, except within a grace.
      repeat: this.#rotation === 'strict' ? 'unless-done' : 'always',
    };
  }
}
