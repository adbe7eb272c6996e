import { Observable, catchError, mergeMap, of, throwError } from 'rxjs';
import type { CallLimits } from '../concurrency/index.js';
import {
  BerbixInvalidAccessTokenError,
  BerbixResponseError,
  isBerbixError,
} from '../errors/index.js';
import type { BerbixTokenService } from '../tokens/index.js';
import { isTransactionRef, type BerbixTokens, type BerbixTokenRef } from '../values/index.js';

/**
 * The tokens of one call: fresh ones, and new ones if the API refuses the access token. If the API
 * has replaced the refresh token, errors of the call have the tokens.
 */
export class TokenSession {
  #current: BerbixTokens | undefined;

  /** @param limits of the whole call, of which getting tokens is a part */
  constructor(
    private readonly service: BerbixTokenService,
    private readonly ref: BerbixTokenRef,
    private readonly limits: CallLimits | undefined,
  ) {}

  /** Makes the call with a valid token; emits what the call emits. */
  use<T>(
    kind: 'accessToken' | 'clientToken',
    call: (bearer: string, tokens: BerbixTokens) => Observable<T>,
  ): Observable<T> {
    const attempt = (tokens: BerbixTokens): Observable<T> => {
      this.#current = tokens;
      return call(requireToken(tokens, kind), tokens);
    };
    return this.#fresh(kind).pipe(
      mergeMap(attempt),
      // After a 401, the API has done nothing, so that any call can be repeated.
      catchError((error: unknown) => {
        const tokens = this.#current;
        if (!(error instanceof BerbixInvalidAccessTokenError) || tokens === undefined) throw error;
        return this.#replace(tokens, tokens.accessToken).pipe(
          // Refused again right after an exchange: the first error of the API says more.
          catchError((other: unknown) =>
            throwError(() => (other instanceof BerbixInvalidAccessTokenError ? error : other)),
          ),
          mergeMap(attempt),
        );
      }),
      catchError((error: unknown) => throwError(() => this.#withReplaced(error))),
    );
  }

  /** Stored tokens may have no client token. */
  #fresh(kind: 'accessToken' | 'clientToken'): Observable<BerbixTokens> {
    return this.service
      .fresh(this.ref, this.limits)
      .pipe(
        mergeMap((tokens) =>
          tokens[kind] === undefined ? this.#replace(tokens, tokens.accessToken) : of(tokens),
        ),
      );
  }

  #replace(tokens: BerbixTokens, refused: string | undefined): Observable<BerbixTokens> {
    return this.service.fresh(isTransactionRef(this.ref) ? this.ref : tokens, {
      ...this.limits,
      refused,
    });
  }

  /** Adds replaced tokens to the error, unless they are in the store. */
  #withReplaced(error: unknown): unknown {
    const current = this.#current;
    if (current === undefined || isTransactionRef(this.ref) || !isBerbixError(error)) return error;
    const given = typeof this.ref === 'string' ? this.ref : this.ref.refreshToken;
    const isReplaced = current.refreshToken !== given && error.tokens === undefined;
    return isReplaced ? error.withTokens(current) : error;
  }
}

/** @throws {BerbixResponseError} if the API gave none */
function requireToken(tokens: BerbixTokens, kind: 'accessToken' | 'clientToken'): string {
  const token = tokens[kind];
  if (token !== undefined) return token;
  throw new BerbixResponseError('The API returned no client token for this transaction.');
}
