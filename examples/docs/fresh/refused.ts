import {
  BerbixInvalidAccessTokenError,
  type BerbixTokenService,
  type BerbixTokens,
  type TokenRef,
} from 'nestjs-berbix';
import { catchError, mergeMap, throwError, type Observable } from 'rxjs';

/** Makes a call of your own; if the API refuses the access token, repeats it with another. */
export function withTokens<T>(
  service: BerbixTokenService,
  source: TokenRef,
  call: (tokens: BerbixTokens) => Observable<T>,
): Observable<T> {
  return service
    .fresh(source)
    .pipe(
      mergeMap((tokens) =>
        call(tokens).pipe(
          catchError((error: unknown) =>
            error instanceof BerbixInvalidAccessTokenError
              ? service.fresh(source, { refused: tokens.accessToken }).pipe(mergeMap(call))
              : throwError(() => error),
          ),
        ),
      ),
    );
}
