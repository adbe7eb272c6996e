import type { BerbixTokenService, BerbixTokens } from 'nestjs-berbix';
import { concatMap, type Observable } from 'rxjs';
import type { Customers } from '../customers.js';

/** Hands the refresh token over to the store; from then on, the customer's uid is enough. */
export function handOver(
  tokens: BerbixTokenService,
  customers: Customers,
  customerUid: string,
): Observable<BerbixTokens> {
  const refreshToken = customers.refreshTokenOf(customerUid);
  return tokens
    .remember({ customerUid, tokens: refreshToken })
    .pipe(concatMap(() => tokens.fresh({ customerUid })));
}
