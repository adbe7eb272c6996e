import { Injectable, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { BerbixModule, BerbixTokenService, ClientTokenDto, berbixConfig } from 'nestjs-berbix';
import { concatMap, type Observable } from 'rxjs';
import { Customers } from './customers.js';

@Injectable()
export class VerificationService {
  constructor(
    private readonly berbix: BerbixTokenService,
    private readonly customers: Customers,
  ) {}

  /** What the browser needs to resume the customer's verification. */
  resume(customerUid: string): Observable<ClientTokenDto> {
    const stored = this.customers.refreshTokenOf(customerUid);
    return this.berbix.refresh(stored).pipe(
      concatMap(async (tokens) => {
        // Usually the same; if Berbix sent a new one, the old one may be dead.
        if (tokens.refreshToken !== stored) await this.customers.save(customerUid, tokens);
        return ClientTokenDto.of(tokens);
      }),
    );
  }
}

@Module({
  imports: [ConfigModule.forRoot(), BerbixModule.forRootAsync(berbixConfig.asProvider())],
  providers: [VerificationService, Customers],
})
export class VerificationModule {}
