import { Injectable } from '@nestjs/common';
import {
  BerbixTransactionService,
  BerbixVerificationService,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { concatMap, from, map, toArray, type Observable } from 'rxjs';

@Injectable()
export class PeriodicReview {
  constructor(
    private readonly verifications: BerbixVerificationService,
    private readonly transactions: BerbixTransactionService,
  ) {}

  /** Begins a new attempt, perhaps with another template that only asks for a selfie. */
  begin(customerUid: string, templateKey: string): Observable<VerificationStartDto> {
    return this.verifications.reverify(customerUid, { templateKey });
  }

  /** The results of all attempts, the current one last. Fails if one is gone at Berbix. */
  actions(customerUid: string): Observable<(string | undefined)[]> {
    return this.verifications.history(customerUid).pipe(
      concatMap((ids) => from(ids)),
      concatMap((transactionId) => this.transactions.fetch({ transactionId })),
      map(({ action }) => action),
      toArray(),
    );
  }
}
