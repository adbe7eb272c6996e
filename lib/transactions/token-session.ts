import { Observable, catchError, mergeMap, throwError } from 'rxjs';
import {
  BerbixInvalidAccessTokenError,
  BerbixResponseError,
  isBerbixError,
} from '../errors/index.js';
import { BerbixTokens, type BerbixTokenService } from '../tokens/index.js';

/**
 * The tokens of a transaction over one call: refreshed before it where they must be, and once more
 * after a refusal. Whatever goes wrong after a refresh carries the tokens that it gave.
 */
export class TokenSession {
  readonly #given: string;
  #current: BerbixTokens;
  #refreshed = false;

  /** @throws {BerbixInvalidRefreshTokenError} when the refresh token is empty, missing or malformed */
  constructor(
    private readonly service: BerbixTokenService,
    tokens: BerbixTokens | string,
  ) {
    this.#current = BerbixTokens.from(tokens);
    this.#given = this.#current.refreshToken;
  }

  /** Makes the call with a token that is good; emits what the call emits. */
  use<T>(
    kind: 'accessToken' | 'clientToken',
    call: (bearer: string, tokens: BerbixTokens) => Observable<T>,
  ): Observable<T> {
    const attempt = (): Observable<T> => call(this.#bearer(kind), this.#current);
    const isStale = this.#current.needsRefresh() || this.#current[kind] === undefined;
    return (isStale ? this.#refresh(attempt) : attempt()).pipe(
      // A 401 says that nothing was done, so that every call may be made again.
      catchError((error: unknown) =>
        error instanceof BerbixInvalidAccessTokenError && !this.#refreshed
          ? this.#refresh(attempt)
          : throwError(() => error),
      ),
      catchError((error: unknown) => throwError(() => this.#rescue(error))),
    );
  }

  #refresh<T>(then: () => Observable<T>): Observable<T> {
    return this.service.refresh(this.#current).pipe(
      mergeMap((tokens) => {
        this.#current = tokens;
        this.#refreshed = true;
        return then();
      }),
    );
  }

  #bearer(kind: 'accessToken' | 'clientToken'): string {
    const token = this.#current[kind];
    if (token !== undefined) return token;
    throw new BerbixResponseError('The API gave no client token for this transaction.');
  }

  #rescue(error: unknown): unknown {
    const replaced = this.#current.refreshToken !== this.#given;
    return replaced && isBerbixError(error) && error.tokens === undefined
      ? error.carrying(this.#current)
      : error;
  }
}
