import { BerbixModule, encryptionKeysFromEnvironment, type BerbixTokenStore } from 'nestjs-berbix';
import type { DynamicModule } from '@nestjs/common';

/** Keys from BERBIX_ENCRYPTION_KEYS; berbixConfig reads the same variable. */
export const encrypted = (store: BerbixTokenStore): DynamicModule =>
  BerbixModule.forRootAsync({
    // Not before the boot, when a file `.env` has been read.
    useFactory: () => ({
      apiSecret: process.env['BERBIX_API_SECRET'] ?? '',
      apiHost: process.env['BERBIX_API_HOST'],
      store,
      encryption: encryptionKeysFromEnvironment(),
    }),
  });
