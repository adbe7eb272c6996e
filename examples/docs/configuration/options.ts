import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { Vault, VaultModule } from './vault.js';

// From the environment, or from a file `.env`.
@Module({
  imports: [ConfigModule.forRoot(), BerbixModule.forRootAsync(berbixConfig.asProvider())],
})
export class FromEnvironmentModule {}

// From a vault, asked before every request, so that a rotated secret needs no restart.
export const fromVault: DynamicModule = BerbixModule.forRootAsync({
  imports: [VaultModule],
  inject: [Vault],
  useFactory: (vault: Vault) => ({
    apiSecret: () => vault.read('berbix/api-secret'),
    timeoutMs: 3_000,
    retry: { limit: 3 },
  }),
});

// Two accounts in one application; inject them with @InjectBerbixTokenService('eu') and ('us').
export const accounts: DynamicModule[] = [
  BerbixModule.forRoot({ name: 'eu', apiSecret: 'secret_live_eu', isGlobal: true }),
  BerbixModule.forRoot({ name: 'us', apiSecret: 'secret_live_us', isGlobal: true }),
];
