import { BerbixConflictError, BerbixTransactionService, type BerbixTokens } from 'nestjs-berbix';
import { catchError, map, of, throwError, type Observable } from 'rxjs';

/** Uploads the front of an ID; emits what to upload next, which may be the same again. */
export function uploadFront(
  transactions: BerbixTransactionService,
  tokens: BerbixTokens | string,
  jpeg: Buffer,
): Observable<string | undefined> {
  const image = { imageSubject: 'document_front', format: 'image/jpeg', data: jpeg } as const;
  return transactions.uploadImages(tokens, [image]).pipe(
    map((result) => result.nextStep),
    catchError((error: unknown) =>
      // The transaction expects another upload.
      error instanceof BerbixConflictError ? of(error.nextStep) : throwError(() => error),
    ),
  );
}
