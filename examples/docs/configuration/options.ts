import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { Vault, VaultModule } from './vault.js';

// From the environment, or from a file `.env`.
@Module({
  imports: [ConfigModule.forRoot(), BerbixModule.forRootAsync(berbixConfig.asProvider())],
})
export class FromEnvironmentModule {}

// From a vault, for each request, so that a changed secret needs no restart.
export const fromVault: DynamicModule = BerbixModule.forRootAsync({
  imports: [VaultModule],
  inject: [Vault],
  useFactory: (vault: Vault) => ({
    apiSecret: () => vault.read('berbix/api-secret'),
    timeoutMs: 3_000,
    retry: { limit: 3 },
  }),
});

// Two accounts in one application; inject them with @InjectBerbix(BerbixTokenService, 'eu') and ('us').
export const accounts: DynamicModule[] = [
  BerbixModule.forRoot({ account: 'eu', apiSecret: 'secret_live_eu', isGlobal: true }),
  BerbixModule.forRoot({ account: 'us', apiSecret: 'secret_live_us', isGlobal: true }),
];
