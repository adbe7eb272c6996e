import { Module, type DynamicModule } from '@nestjs/common';
import { defineModule } from './berbix.module-definition.js';
import type {
  BerbixModuleAsyncOptions,
  BerbixModuleExtras,
  BerbixModuleOptions,
} from './berbix.options.js';

/**
 * Registers the Berbix services of one account: {@link BerbixVerificationService},
 * {@link BerbixTokenService}, {@link BerbixTransactionService} and {@link BerbixWebhookService}, and the
 * {@link BerbixTokenStore} that they share. Call it once per account; import the class where the
 * services are needed through a module of yours that re-exports it, or set `isGlobal`.
 */
@Module({})
export class BerbixModule {
  /**
   * With the API secret, or with options.
   *
   * A wrong option stops the boot with a {@link BerbixConfigurationError} that names it.
   *
   * @example
   * ```ts
   * BerbixModule.forRoot('secret_test_...')
   * BerbixModule.forRoot({ apiSecret: () => vault.read('berbix'), timeoutMs: 3000, isGlobal: true })
   * ```
   */
  static forRoot(options: string | (BerbixModuleOptions & BerbixModuleExtras)): DynamicModule {
    if (typeof options !== 'object' || options === null) {
      return defineModule(BerbixModule, { useFactory: () => ({ apiSecret: options }) });
    }
    const { name, isGlobal, extraProviders, ...rest } = options;
    return defineModule(BerbixModule, { name, isGlobal, extraProviders, useFactory: () => rest });
  }

  /**
   * With options that are made by a function or a class, from other providers.
   *
   * @example
   * ```ts
   * BerbixModule.forRootAsync(berbixConfig.asProvider())
   * BerbixModule.forRootAsync({
   *   imports: [VaultModule],
   *   inject: [Vault],
   *   useFactory: (vault: Vault) => ({ apiSecret: () => vault.read('berbix') }),
   * })
   * BerbixModule.forRootAsync({ useClass: BerbixOptionsService, name: 'eu' })
   * ```
   */
  static forRootAsync(options: BerbixModuleAsyncOptions): DynamicModule {
    return defineModule(BerbixModule, options);
  }
}
