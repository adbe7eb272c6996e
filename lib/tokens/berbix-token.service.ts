import { Inject, Injectable } from '@nestjs/common';
import { Observable, map, throwError } from 'rxjs';
import { BerbixHttp, type BerbixRequest } from '../http/index.js';
import { API_PATHS, REFRESH_GRANT, type TokenRequest } from '../wire/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import { SingleFlight } from './single-flight.js';
import { checkTokenAnswer, mergeTokens, type TokenAnswerChecked } from './token-answer.js';

const EXCHANGE = { method: 'POST', path: API_PATHS.tokens } as const;

/** Turns refresh tokens into fresh access and client tokens. */
@Injectable()
export class BerbixTokenService {
  readonly #http: BerbixHttp;
  readonly #exchanges = new SingleFlight((refreshToken) => this.#exchange(refreshToken));
  /** Whether the API was seen to replace a refresh token; then a lost answer must not be asked for again. */
  #rotates = false;

  constructor(@Inject(BerbixHttp) http: BerbixHttp) {
    this.#http = http;
  }

  /**
   * Exchanges the refresh token, now, when subscribed to; emits the new tokens once and completes.
   * The refresh token in them is the one to keep: the old one, or a new one if the API sent one.
   *
   * Callers for the same refresh token share the exchange that is under way. Unsubscribing leaves
   * it to the others; when the last one leaves, it is aborted.
   *
   * @param tokens tokens, or the stored refresh token
   * @throws on the Observable:
   * - {BerbixInvalidRefreshTokenError} empty, malformed, or unknown to the account
   * - {BerbixGoneError} the transaction was deleted or purged
   * - {BerbixAuthenticationError} the API secret was not accepted
   * - {BerbixResponseError} the answer is not what the API promises; `tokens` of the error holds a
   *   refresh token that came with it all the same
   * - {BerbixRateLimitError}, {BerbixServerError}, {BerbixTimeoutError}, {BerbixConnectionError},
   *   {BerbixUnavailableError} after the repetitions, where those are safe
   *
   * @example
   * ```ts
   * this.tokens.refresh(row.refreshToken).pipe(
   *   concatMap(async (tokens) => {
   *     if (tokens.refreshToken !== row.refreshToken) await this.rows.save(row.id, tokens.refreshToken);
   *     return ClientTokenDto.of(tokens);
   *   }),
   * );
   * ```
   */
  refresh(tokens: BerbixTokens | string): Observable<BerbixTokens> {
    try {
      const before = BerbixTokens.from(tokens);
      return this.#exchanges
        .join(before.refreshToken)
        .pipe(map((answer) => mergeTokens(EXCHANGE, before, answer)));
    } catch (error) {
      return throwError(() => error);
    }
  }

  #exchange(refreshToken: string): Observable<TokenAnswerChecked> {
    return this.#http.send(this.#request(refreshToken), (answer) => {
      const rotated = answer.body?.['refresh_token'];
      if (rotated && rotated !== refreshToken) this.#rotates = true;
      return checkTokenAnswer(EXCHANGE, answer);
    });
  }

  #request(refreshToken: string): BerbixRequest {
    return {
      method: EXCHANGE.method,
      path: EXCHANGE.path,
      body: { refresh_token: refreshToken, grant_type: REFRESH_GRANT } satisfies TokenRequest,
      secrets: [refreshToken],
      // ASSUMPTION: an exchange twice is harmless, since the API is documented as not replacing the
      // refresh token. Where it does, the answer that was lost had the only good one.
      repeat: this.#rotates ? 'unless-done' : 'always',
    };
  }
}
