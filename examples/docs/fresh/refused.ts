import {
  BerbixInvalidAccessTokenError,
  type BerbixTokenService,
  type BerbixTokens,
  type BerbixTokenRef,
} from 'nestjs-berbix';
import { catchError, mergeMap, throwError, type Observable } from 'rxjs';

/** Makes your own call; if the API refuses the access token, repeats it with another. */
export function withTokens<T>(
  service: BerbixTokenService,
  ref: BerbixTokenRef,
  call: (tokens: BerbixTokens) => Observable<T>,
): Observable<T> {
  return service
    .fresh(ref)
    .pipe(
      mergeMap((tokens) =>
        call(tokens).pipe(
          catchError((error: unknown) =>
            error instanceof BerbixInvalidAccessTokenError
              ? service.fresh(ref, { refused: tokens.accessToken }).pipe(mergeMap(call))
              : throwError(() => error),
          ),
        ),
      ),
    );
}
