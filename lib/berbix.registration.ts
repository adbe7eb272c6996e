import { randomUUID } from 'node:crypto';
import type { InjectionToken, OnModuleInit, Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { BerbixConfigurationError } from './errors/index.js';
import { BERBIX_OPTIONS, DEFAULT_ACCOUNT, accountKey, ofAccount } from './options/index.js';

/** A module of the application, as Nest represents it. */
type NestModule = Parameters<Parameters<ModulesContainer['forEach']>[0]>[0];

/** A provider of a module, as Nest represents it. */
type NestProvider = Parameters<Parameters<NestModule['providers']['forEach']>[0]>[0];

/**
 * Refuses an account that is registered twice, or whose services are request-scoped.
 *
 * @param services the injection tokens of its services
 */
export function registrationProviders(
  account: string,
  services: readonly InjectionToken[],
): Provider[] {
  const token = accountKey('registration', account);
  return [
    {
      provide: token,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) =>
        new AccountRegistration(onlyModuleWith(token, modules, account), services, account),
    },
    // Otherwise, with Nest's `deep-hash` algorithm, two calls of forRoot that differ only in their
    // secrets would be one module, and the second secret would be lost.
    { provide: 'berbix:registration-id', useValue: randomUUID() },
  ];
}

/**
 * Finds the module of an account. Nest keeps one list of modules per application, since tests
 * create many applications. The same dynamic module in the imports of several modules is one
 * module.
 *
 * @throws {BerbixConfigurationError} if there are several
 */
function onlyModuleWith(token: symbol, modules: ModulesContainer, account: string): NestModule {
  const registered = [...modules.values()].filter(({ providers }) => providers.has(token));
  if (registered.length === 1) return registered[0] as NestModule;
  throw new BerbixConfigurationError(
    `BerbixModule is registered more than once${account === DEFAULT_ACCOUNT ? '' : ` for the account "${account}"`}. Each registration would have its own cache and ` +
      'connections, and a customer could get two transactions. Register each account once, and import the module that ' +
      'exports it, or set isGlobal. Give a second account a name, with the option account.',
  );
}

/** Refuses services that Nest would create for each request. */
class AccountRegistration implements OnModuleInit {
  constructor(
    private readonly module: NestModule,
    private readonly services: readonly InjectionToken[],
    private readonly account: string,
  ) {}

  /** In this hook, since the scopes are known only after all providers were created. */
  onModuleInit(): void {
    const { providers } = this.module;
    const scoped = this.services.map((token) => providers.get(token)).find(isScoped);
    if (scoped === undefined) return;
    const cause = providers.get(BERBIX_OPTIONS)?.getCtorMetadata()?.find(isScoped) ?? scoped;
    throw new BerbixConfigurationError(
      `The options${ofAccount(this.account)} depend on ${String(cause.name)}, which is request-scoped or depends on a request-scoped provider. ` +
        'Each request would get its own services, which lose tokens, leave connections open and answer no webhook. ' +
        'Inject only providers of the default scope into forRootAsync. For several tenants, register a named account for each.',
    );
  }
}

function isScoped(provider: NestProvider | undefined): provider is NestProvider {
  return provider !== undefined && !provider.isDependencyTreeStatic();
}
