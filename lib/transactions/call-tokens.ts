import { Observable, catchError, mergeMap, throwError } from 'rxjs';
import type { CallLimits } from '../concurrency/index.js';
import { BerbixInvalidAccessTokenError, isBerbixError } from '../errors/index.js';
import type { BerbixTokenService, FreshTokensOptions } from '../tokens/index.js';
import { isTransactionRef, type BerbixTokens, type BerbixTokenRef } from '../values/index.js';

/**
 * The tokens of one call: fresh ones, and new ones if the API refuses the access token. If the API
 * has replaced the refresh token, errors of the call have the tokens.
 */
export class CallTokens {
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
    const fresh = (ref: BerbixTokenRef, options?: FreshTokensOptions): Observable<BerbixTokens> =>
      kind === 'clientToken'
        ? this.service.withClientToken(ref, options)
        : this.service.fresh(ref, options);
    const attempt = (tokens: BerbixTokens): Observable<T> => {
      this.#current = tokens;
      return call(tokens[kind] as string, tokens);
    };
    return fresh(this.ref, this.limits).pipe(
      mergeMap(attempt),
      // After a 401, the API has done nothing, so that any call can be repeated.
      catchError((error: unknown) => {
        const tokens = this.#current;
        if (!(error instanceof BerbixInvalidAccessTokenError) || tokens === undefined) throw error;
        const ref = isTransactionRef(this.ref) ? this.ref : tokens;
        return fresh(ref, { ...this.limits, refused: tokens.accessToken }).pipe(
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

  /** Adds replaced tokens to the error, unless they are in the store. */
  #withReplaced(error: unknown): unknown {
    const current = this.#current;
    if (current === undefined || isTransactionRef(this.ref) || !isBerbixError(error)) return error;
    const given = typeof this.ref === 'string' ? this.ref : this.ref.refreshToken;
    const isReplaced = current.refreshToken !== given && error.tokens === undefined;
    return isReplaced ? error.withTokens(current) : error;
  }
}
