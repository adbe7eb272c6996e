import { Observable, catchError, mergeMap, of, throwError } from 'rxjs';
import {
  BerbixInvalidAccessTokenError,
  BerbixResponseError,
  isBerbixError,
} from '../errors/index.js';
import {
  isTransactionRef,
  type BerbixTokenService,
  type BerbixTokens,
  type TokenRef,
} from '../tokens/index.js';

/**
 * The tokens of a transaction over one call: fresh ones, and others after a refusal. Whatever goes
 * wrong once there are tokens carries them, where the API has replaced the refresh token.
 */
export class TokenSession {
  #current: BerbixTokens | undefined;

  constructor(
    private readonly service: BerbixTokenService,
    private readonly source: TokenRef,
  ) {}

  /** Makes the call with a token that is good; emits what the call emits. */
  use<T>(
    kind: 'accessToken' | 'clientToken',
    call: (bearer: string, tokens: BerbixTokens) => Observable<T>,
  ): Observable<T> {
    const attempt = (tokens: BerbixTokens): Observable<T> => {
      this.#current = tokens;
      return call(bearerOf(tokens, kind), tokens);
    };
    return this.#fresh(kind).pipe(
      mergeMap(attempt),
      // A 401 says that nothing was done, so that every call may be made again.
      catchError((error: unknown) => {
        const tokens = this.#current;
        if (!(error instanceof BerbixInvalidAccessTokenError) || tokens === undefined) throw error;
        return this.#replace(tokens, tokens.accessToken).pipe(
          // An exchange a moment ago: what the API said of its token says more.
          catchError((other: unknown) =>
            throwError(() => (other instanceof BerbixInvalidAccessTokenError ? error : other)),
          ),
          mergeMap(attempt),
        );
      }),
      catchError((error: unknown) => throwError(() => this.#rescue(error))),
    );
  }

  /** A client token may be missing where only the others were kept. */
  #fresh(kind: 'accessToken' | 'clientToken'): Observable<BerbixTokens> {
    return this.service
      .fresh(this.source)
      .pipe(
        mergeMap((tokens) =>
          tokens[kind] === undefined ? this.#replace(tokens, tokens.accessToken) : of(tokens),
        ),
      );
  }

  #replace(tokens: BerbixTokens, refused: string | undefined): Observable<BerbixTokens> {
    return this.service.fresh(isTransactionRef(this.source) ? this.source : tokens, { refused });
  }

  /** What is in the store needs no rescue. */
  #rescue(error: unknown): unknown {
    const current = this.#current;
    if (current === undefined || isTransactionRef(this.source) || !isBerbixError(error))
      return error;
    const given = typeof this.source === 'string' ? this.source : this.source.refreshToken;
    const isReplaced = current.refreshToken !== given && error.tokens === undefined;
    return isReplaced ? error.withTokens(current) : error;
  }
}

/** @throws {BerbixResponseError} when the API gave none */
function bearerOf(tokens: BerbixTokens, kind: 'accessToken' | 'clientToken'): string {
  const token = tokens[kind];
  if (token !== undefined) return token;
  throw new BerbixResponseError('The API gave no client token for this transaction.');
}
