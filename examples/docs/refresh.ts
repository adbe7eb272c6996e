import { BerbixTokenService, ClientTokenDto } from 'nestjs-berbix';
import { concatMap, type Observable } from 'rxjs';
import type { Customers } from './customers.js';

/** Resumes a verification; emits what the browser needs. */
export function resume(
  tokenService: BerbixTokenService,
  customers: Customers,
  customerUid: string,
): Observable<ClientTokenDto> {
  return tokenService.refresh(customers.refreshTokenOf(customerUid)).pipe(
    concatMap(async (tokens) => {
      await customers.save(customerUid, tokens.refreshToken);
      return ClientTokenDto.of(tokens);
    }),
  );
}
