import type { DynamicModule } from '@nestjs/common';
import { BerbixModule, type BerbixTokenStore } from 'nestjs-berbix';
import { Customers, CustomersModule } from '../customers.js';

/** Asks the store first, and the application's own table if the store knows nothing. */
export const berbixWithLoader = (store: BerbixTokenStore): DynamicModule =>
  BerbixModule.forRootAsync({
    imports: [CustomersModule],
    inject: [Customers],
    useFactory: (customers: Customers) => ({
      apiSecret: process.env['BERBIX_API_SECRET'] ?? '',
      apiHost: process.env['BERBIX_API_HOST'],
      store,
      loadTokens: (owner) => customers.find(owner),
      onRotation: ({ tokens, previousRefreshToken }) =>
        customers.replace(previousRefreshToken, tokens.refreshToken),
    }),
  });
