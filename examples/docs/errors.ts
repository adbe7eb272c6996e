import {
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  isBerbixError,
  type BerbixTokenService,
  type BerbixTokens,
} from 'nestjs-berbix';
import { catchError, of, throwError, type Observable } from 'rxjs';

/** The tokens; `undefined` if only a new transaction helps. */
export function refreshIfPossible(
  berbix: BerbixTokenService,
  stored: string,
): Observable<BerbixTokens | undefined> {
  return berbix.refresh(stored).pipe(
    catchError((error: unknown) => {
      if (error instanceof BerbixGoneError) return of(undefined);
      if (error instanceof BerbixInvalidRefreshTokenError) return of(undefined);
      if (isBerbixError(error) && error.retryable) console.warn(error.code, error.retryAfterMs);
      return throwError(() => error);
    }),
  );
}
