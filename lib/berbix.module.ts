import { Module, type DynamicModule } from '@nestjs/common';
import { defineModule } from './berbix.module-definition.js';
import type {
  BerbixModuleAsyncOptions,
  BerbixModuleExtras,
  BerbixModuleOptions,
} from './berbix.options.js';

/**
 * Registers the Berbix services of one account: {@link BerbixVerificationService},
 * {@link BerbixTokenService}, {@link BerbixTransactionService} and {@link BerbixWebhookService},
 * and the {@link BerbixTokenStore} that they share. Register each account once. To use the services
 * in several modules, re-export `BerbixModule` from a module of your own, or set `isGlobal`.
 */
@Module({})
export class BerbixModule {
  /**
   * Registers an account with its API secret, or with options.
   *
   * An invalid option stops the boot with a {@link BerbixConfigurationError} that names it.
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
    const { account, isGlobal, extraProviders, ...rest } = options;
    return defineModule(BerbixModule, {
      account,
      isGlobal,
      extraProviders,
      useFactory: () => rest,
    });
  }

  /**
   * Registers an account with options from a function or a class, which may use other providers.
   *
   * @example
   * ```ts
   * BerbixModule.forRootAsync(berbixConfig.asProvider())
   * BerbixModule.forRootAsync({
   *   imports: [VaultModule],
   *   inject: [Vault],
   *   useFactory: (vault: Vault) => ({ apiSecret: () => vault.read('berbix') }),
   * })
   * BerbixModule.forRootAsync({ useClass: BerbixOptionsService, account: 'eu' })
   * ```
   */
  static forRootAsync(options: BerbixModuleAsyncOptions): DynamicModule {
    return defineModule(BerbixModule, options);
  }
}
