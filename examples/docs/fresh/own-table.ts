import { Inject, Injectable, Module } from '@nestjs/common';
import { BerbixModule, BerbixTokenService, ClientTokenDto } from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';
import { Customers, CustomersModule } from '../customers.js';

/** The refresh tokens stay in a table of the application's; this package stores nothing. */
@Injectable()
export class VerificationService {
  constructor(
    @Inject(BerbixTokenService) private readonly tokens: BerbixTokenService,
    @Inject(Customers) private readonly customers: Customers,
  ) {}

  /** What the browser needs to take the customer's verification up again. */
  resume(customerUid: string): Observable<ClientTokenDto> {
    return this.tokens
      .fresh(this.customers.refreshTokenOf(customerUid))
      .pipe(map(ClientTokenDto.of));
  }
}

@Module({
  imports: [
    CustomersModule,
    BerbixModule.forRootAsync({
      imports: [CustomersModule],
      inject: [Customers],
      useFactory: (customers: Customers) => ({
        apiSecret: process.env['BERBIX_API_SECRET'] ?? '',
        apiHost: process.env['BERBIX_API_HOST'],
        // Seldom or never called. Where it is, the refresh token before is no good any more.
        onRotation: ({ tokens, previousRefreshToken }) =>
          customers.replace(previousRefreshToken, tokens.refreshToken),
      }),
    }),
  ],
  providers: [VerificationService],
})
export class VerificationModule {}
