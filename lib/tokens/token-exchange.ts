import type { Observable } from 'rxjs';
import { SharedRuns, type Caller } from '../concurrency/index.js';
import type { BerbixHttp, BerbixRequest } from '../http/index.js';
import { API_PATHS, REFRESH_GRANT, type TokenRequest } from '../wire/index.js';
import type { BerbixTokens } from './berbix-tokens.js';
import { mayRepeat, type FreshnessSettings } from './freshness/index.js';
import {
  checkTokenAnswer,
  mergeTokens,
  withoutForeignTokens,
  type TokenAnswerChecked,
} from './token-answer.js';

const EXCHANGE = { method: 'POST', path: API_PATHS.tokens } as const;

/**
 * Exchanges refresh tokens at the API. Callers with the same refresh token share one exchange,
 * which runs in the async context of none of them.
 */
export class TokenExchange {
  readonly #runs = new SharedRuns((refreshToken) => this.#send(refreshToken));
  readonly #http: BerbixHttp;
  #replaces: boolean;
  #mayRepeat: boolean;

  constructor(http: BerbixHttp, { rotation, totalTimeoutMs }: FreshnessSettings) {
    this.#http = http;
    this.#replaces = rotation !== 'none';
    this.#mayRepeat = mayRepeat(rotation, totalTimeoutMs);
  }

  /** Whether the API replaces refresh tokens, according to the options or to an earlier answer. */
  get replaces(): boolean {
    return this.#replaces;
  }

  /**
   * Resolves to the new tokens.
   *
   * @param caller the last one to leave aborts the exchange; omit it if nobody leaves
   */
  async run(before: BerbixTokens, caller?: Caller): Promise<BerbixTokens> {
    const answer = await this.#runs
      .join(before.refreshToken, caller)
      .catch((error: unknown) => Promise.reject(withoutForeignTokens(EXCHANGE, before, error)));
    return mergeTokens(EXCHANGE, before, answer);
  }

  /**
   * The API replaces refresh tokens, contrary to the options: from now on, do not retry after a
   * lost answer (I3).
   */
  noticeRotation(): void {
    if (this.#replaces) return;
    this.#replaces = true;
    this.#mayRepeat = false;
  }

  #send(refreshToken: string): Observable<TokenAnswerChecked> {
    return this.#http.send(this.#request(refreshToken), (answer) => {
      const rotated = answer.body?.['refresh_token'];
      if (rotated && rotated !== refreshToken) this.noticeRotation();
      return checkTokenAnswer(EXCHANGE, answer);
    });
  }

  #request(refreshToken: string): BerbixRequest {
    return {
      method: EXCHANGE.method,
      path: EXCHANGE.path,
      body: { refresh_token: refreshToken, grant_type: REFRESH_GRANT } satisfies TokenRequest,
      secrets: [refreshToken],
      subject: refreshToken,
      // ASSUMPTION: a second exchange is harmless, since the API is documented as not replacing the
      // refresh token. If it does, the lost answer had the only valid one.
      repeat: this.#mayRepeat ? 'always' : 'unless-done',
    };
  }
}
