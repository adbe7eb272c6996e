import { randomUUID } from 'node:crypto';
import type { InjectionToken, OnModuleInit, Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { BerbixConfigurationError } from './errors/index.js';
import { BERBIX_OPTIONS } from './http/index.js';

/** A module as Nest keeps it. */
type NestModule = Parameters<Parameters<ModulesContainer['forEach']>[0]>[0];

/** A provider as Nest keeps it. */
type NestProvider = Parameters<Parameters<NestModule['providers']['forEach']>[0]>[0];

/**
 * Keeps an application from having an account twice, or one for each request.
 *
 * @param account as given to `forRoot`
 * @param services the injection tokens of its services
 */
export function registrationProviders(
  account: string | undefined,
  services: readonly InjectionToken[],
): Provider[] {
  const token = Symbol.for(`berbix:registration:${account ?? ''}`);
  return [
    {
      provide: token,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) =>
        new AccountRegistration(onlyModuleWith(token, modules, account), services, account),
    },
    // With Nest's `deep-hash` algorithm, two calls of forRoot that differ in their secrets alone
    // would otherwise be one module, and the second secret would be dropped.
    { provide: 'berbix:registration-id', useValue: randomUUID() },
  ];
}

/**
 * Per application, and not per process: tests have many applications. The same dynamic module in the
 * imports of several modules is one module to Nest.
 *
 * @throws {BerbixConfigurationError} when there are several
 */
function onlyModuleWith(
  token: symbol,
  modules: ModulesContainer,
  account: string | undefined,
): NestModule {
  const registered = [...modules.values()].filter(({ providers }) => providers.has(token));
  if (registered.length === 1) return registered[0] as NestModule;
  throw new BerbixConfigurationError(
    account === undefined
      ? 'BerbixModule is registered more than once without a name. Each registration would have a cache and connections ' +
          'of its own, and one customer could get two transactions. Register the account once, and import the module ' +
          'that exports it, or set isGlobal; give a second account a name.'
      : `BerbixModule is registered more than once with the name "${account}". Register each account once, and import ` +
          'the module that exports it, or set isGlobal; give another account another name.',
  );
}

/** Refuses services that Nest would create for each request. */
class AccountRegistration implements OnModuleInit {
  constructor(
    private readonly module: NestModule,
    private readonly services: readonly InjectionToken[],
    private readonly account: string | undefined,
  ) {}

  /** Not earlier: dependencies are known once everything else is created. */
  onModuleInit(): void {
    const { providers } = this.module;
    const scoped = this.services.map((token) => providers.get(token)).find(isScoped);
    if (scoped === undefined) return;
    const account = this.account === undefined ? '' : ` of the account "${this.account}"`;
    const cause = providers.get(BERBIX_OPTIONS)?.getCtorMetadata()?.find(isScoped) ?? scoped;
    throw new BerbixConfigurationError(
      `The options${account} depend on ${String(cause.name)}, which is request-scoped or depends on something that is. ` +
        'Each request would get services of its own, which lose tokens, keep connections open and answer no webhook. ' +
        'Inject providers of the default scope into forRootAsync; for what differs between tenants, register one named account each.',
    );
  }
}

function isScoped(provider: NestProvider | undefined): provider is NestProvider {
  return provider !== undefined && !provider.isDependencyTreeStatic();
}
