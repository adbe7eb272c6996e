import {
  BerbixModule,
  berbixEncryptionFromEnvironment,
  type BerbixTokenStore,
} from 'nestjs-berbix';
import type { DynamicModule } from '@nestjs/common';

/** Keys from BERBIX_ENCRYPTION_KEYS; berbixConfig reads the same variable. */
export const encrypted = (store: BerbixTokenStore): DynamicModule =>
  BerbixModule.forRootAsync({
    // Called during the boot, after the `.env` file has been read.
    useFactory: () => ({
      apiSecret: process.env['BERBIX_API_SECRET'] ?? '',
      apiHost: process.env['BERBIX_API_HOST'],
      store,
      encryption: berbixEncryptionFromEnvironment(),
    }),
  });
