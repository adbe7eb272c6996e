import type { FactoryProvider, ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { BerbixHttpModuleOptions } from './http/index.js';
import type { BerbixTokenModuleOptions } from './tokens/index.js';
import type { BerbixWebhookOptions } from './webhooks/index.js';

/** The options of {@link BerbixModule.forRoot}; only `apiSecret` is required. */
export interface BerbixModuleOptions extends BerbixHttpModuleOptions, BerbixTokenModuleOptions {
  /** The secrets of the webhooks, and how they are checked. */
  webhooks?: BerbixWebhookOptions | undefined;
}

/** Options that must be known when the module is declared, before any factory runs. */
export interface BerbixModuleExtras {
  /**
   * The name of the account, if an application has several. Its services are injected with
   * `@InjectBerbix(BerbixTokenService, 'eu')`, and its records in the store have this name.
   * @default 'default'
   */
  account?: string | undefined;

  /**
   * Registers a global module, whose services can be injected everywhere without an import.
   * See https://docs.nestjs.com/modules#global-modules
   * @default false
   */
  isGlobal?: boolean | undefined;

  /** Providers for the factory or the class of the options. */
  extraProviders?: Provider[] | undefined;
}

/** Implemented by a class that creates the options, for `useClass` and `useExisting`. */
export interface BerbixOptionsFactory {
  /** Called once, when the application starts; an error stops the boot. */
  createBerbixOptions(): BerbixModuleOptions | Promise<BerbixModuleOptions>;
}

/**
 * The options of {@link BerbixModule.forRootAsync}; one of `useFactory`, `useClass`, `useExisting`
 * is required.
 */
export interface BerbixModuleAsyncOptions extends BerbixModuleExtras {
  /** Modules with providers for the factory or the class of the options. */
  imports?: ModuleMetadata['imports'] | undefined;
  /** A function that returns the options; called once, when the application starts. */
  useFactory?:
    | ((...args: never[]) => BerbixModuleOptions | Promise<BerbixModuleOptions>)
    | undefined;
  /** The arguments of `useFactory`. */
  inject?: FactoryProvider['inject'] | undefined;
  /** A class to instantiate; its dependencies come from `imports` and `extraProviders`. */
  useClass?: Type<BerbixOptionsFactory> | undefined;
  /** A class that is already a provider, in `imports` or `extraProviders`. */
  useExisting?: Type<BerbixOptionsFactory> | undefined;
}
