import { BerbixTransactionService, ClientTokenDto } from 'nestjs-berbix';
import { concatMap, type Observable } from 'rxjs';
import type { Customers } from './customers.js';

/** Starts a verification; emits what the browser needs. */
export function start(
  transactions: BerbixTransactionService,
  customers: Customers,
  customerUid: string,
  templateKey: string,
): Observable<ClientTokenDto> {
  return transactions.create({ customerUid, templateKey }).pipe(
    concatMap(async (tokens) => {
      await customers.save(customerUid, tokens.refreshToken);
      return ClientTokenDto.of(tokens);
    }),
  );
}
