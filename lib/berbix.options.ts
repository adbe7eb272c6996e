import type { FactoryProvider, ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { BerbixHttpModuleOptions } from './http/index.js';
import type { BerbixTokenModuleOptions } from './tokens/index.js';
import type { BerbixWebhookOptions } from './webhooks/index.js';

/** Options of {@link BerbixModule.forRoot}; only `apiSecret` is required. */
export interface BerbixModuleOptions extends BerbixHttpModuleOptions, BerbixTokenModuleOptions {
  /** Secrets of the webhooks, and how they are checked. */
  webhooks?: BerbixWebhookOptions | undefined;
}

/** What is known when the module is declared, before any factory has run. */
export interface BerbixModuleExtras {
  /**
   * Name of the account, for several in one application. The services of a named account are
   * injected with `@InjectBerbixTokenService(name)` and its siblings.
   */
  name?: string | undefined;

  /**
   * If `true`, registers a global module: its services can be injected everywhere without an import.
   * See https://docs.nestjs.com/modules#global-modules
   * @default false
   */
  isGlobal?: boolean | undefined;

  /** Providers that the factory or the class of the options needs. */
  extraProviders?: Provider[] | undefined;
}

/** Implemented by a class that makes the options, for `useClass` and `useExisting`. */
export interface BerbixOptionsFactory {
  /** Called once, when the application starts; what it throws stops the boot. */
  createBerbixOptions(): BerbixModuleOptions | Promise<BerbixModuleOptions>;
}

/** Options of {@link BerbixModule.forRootAsync}; give one of `useFactory`, `useClass` and `useExisting`. */
export interface BerbixModuleAsyncOptions extends BerbixModuleExtras {
  /** Modules whose providers the factory or the class of the options needs. */
  imports?: ModuleMetadata['imports'] | undefined;
  /** A function that makes the options; called once, when the application starts. */
  useFactory?:
    ((...args: never[]) => BerbixModuleOptions | Promise<BerbixModuleOptions>) | undefined;
  /** What `useFactory` is called with. */
  inject?: FactoryProvider['inject'] | undefined;
  /** A class that is created for this purpose; what it injects comes from `imports` and `extraProviders`. */
  useClass?: Type<BerbixOptionsFactory> | undefined;
  /** A class that is a provider already, in `imports` or `extraProviders`. */
  useExisting?: Type<BerbixOptionsFactory> | undefined;
}
