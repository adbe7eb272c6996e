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
 * The exchange of a refresh token at the API; callers who ask for the same one share it while it is
 * under way. It runs in the async context of none of them.
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

  /** Whether the API is known to replace refresh tokens, by the options or by what it has done. */
  get replaces(): boolean {
    return this.#replaces;
  }

  /**
   * Resolves to the new tokens.
   *
   * @param caller the last one to leave aborts the exchange; left out where nobody leaves
   */
  async run(before: BerbixTokens, caller?: Caller): Promise<BerbixTokens> {
    const answer = await this.#runs
      .join(before.refreshToken, caller)
      .catch((error: unknown) => Promise.reject(withoutForeignTokens(EXCHANGE, before, error)));
    return mergeTokens(EXCHANGE, before, answer);
  }

  /** The API replaces refresh tokens: where nobody knew, a lost answer is not asked for again from now on. */
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
      // ASSUMPTION: an exchange twice is harmless, since the API is documented as not replacing the
      // refresh token. Where it does, the answer that was lost had the only good one.
      repeat: this.#mayRepeat ? 'always' : 'unless-done',
    };
  }
}
