import { Inject, Injectable } from '@nestjs/common';
import {
  BerbixTransactionService,
  BerbixVerificationService,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { concatMap, from, map, toArray, type Observable } from 'rxjs';

@Injectable()
export class PeriodicReview {
  constructor(
    @Inject(BerbixVerificationService) private readonly verifications: BerbixVerificationService,
    @Inject(BerbixTransactionService) private readonly transactions: BerbixTransactionService,
  ) {}

  /** A new attempt; perhaps with another template, which asks for a selfie only. */
  begin(customerUid: string, templateKey: string): Observable<VerificationStartDto> {
    return this.verifications.reverify(customerUid, { templateKey });
  }

  /** The results of all attempts, the current one last. One that is gone at Berbix is an error. */
  actions(customerUid: string): Observable<(string | undefined)[]> {
    return this.verifications.history(customerUid).pipe(
      concatMap((ids) => from(ids)),
      concatMap((transactionId) => this.transactions.fetch({ transactionId })),
      map(({ action }) => action),
      toArray(),
    );
  }
}
