import { BerbixTransactionService } from 'nestjs-berbix';
import { concatMap, type Observable } from 'rxjs';
import type { Customers } from './customers.js';

/** The result of a verification: `accept`, `reject` or `review`; undefined if there is none yet. */
export function actionFor(
  transactions: BerbixTransactionService,
  customers: Customers,
  customerUid: string,
): Observable<string | undefined> {
  return transactions.fetch(customers.refreshTokenOf(customerUid)).pipe(
    concatMap(async (transaction) => {
      // The call may have refreshed the tokens.
      await customers.save(customerUid, transaction.tokens.refreshToken);
      return transaction.action;
    }),
  );
}
