import { Injectable, Module } from '@nestjs/common';
import { BerbixModule, BerbixTokenService, ClientTokenDto } from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';
import { Customers, CustomersModule } from '../customers.js';

/** The refresh tokens stay in a table of the application; this package stores nothing. */
@Injectable()
export class VerificationService {
  constructor(
    private readonly tokens: BerbixTokenService,
    private readonly customers: Customers,
  ) {}

  /** What the browser needs to resume the customer's verification. */
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
        // Called rarely or never. After it, the previous refresh token no longer works.
        onRotation: ({ tokens, previousRefreshToken }) =>
          customers.replace(previousRefreshToken, tokens.refreshToken),
      }),
    }),
  ],
  providers: [VerificationService],
})
export class VerificationModule {}
