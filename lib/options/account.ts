import { Inject, type Abstract, type InjectionToken } from '@nestjs/common';
import type { Provider, Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { BerbixConfigurationError } from '../errors/index.js';

/** The account of a module that is registered without the option `account`. */
export const DEFAULT_ACCOUNT = 'default';

/**
 * The injection token of a service or of the store of an account, for `inject` of a factory,
 * `ModuleRef.get` and tests. Without an account it is the class itself.
 *
 * @param service such as {@link BerbixTokenService} or {@link BerbixTokenStore}
 * @param account as passed to `forRoot`
 * @throws {BerbixConfigurationError} if the class is undefined, or the account is not a name
 *
 * @example
 * ```ts
 * { provide: Identities, inject: [getBerbixToken(BerbixTokenService, 'eu')], useFactory: ... }
 * ```
 */
export function getBerbixToken<T>(service: Abstract<T>, account?: string): InjectionToken<T> {
  if (typeof service !== 'function') {
    throw new BerbixConfigurationError(
      'getBerbixToken and InjectBerbix take a class, such as BerbixTokenService. If it is undefined, look for a circular import.',
    );
  }
  const name = checkAccount('The account of getBerbixToken or InjectBerbix', account);
  return name === DEFAULT_ACCOUNT ? service : accountKey(service.name, name);
}

/**
 * Injects a service or the store of a named account. Without a name, the class needs no decorator.
 *
 * @param service such as {@link BerbixTokenService} or {@link BerbixTokenStore}
 * @param account as passed to `forRoot`
 * @throws {BerbixConfigurationError} if the class is undefined, or the account is not a name
 *
 * @example
 * ```ts
 * constructor(@InjectBerbix(BerbixTokenService, 'eu') private readonly tokens: BerbixTokenService) {}
 * ```
 */
export function InjectBerbix(
  service: Abstract<unknown>,
  account?: string,
): ReturnType<typeof Inject> {
  return Inject(getBerbixToken(service, account));
}

/**
 * An injection token of an account; `Symbol.for`, so that two copies of this package agree.
 */
export function accountKey(kind: string, account: string): symbol {
  return Symbol.for(`berbix:${kind}:${account}`);
}

/**
 * Checks the name of an account.
 *
 * @returns the name, or {@link DEFAULT_ACCOUNT} if there is none
 * @throws {BerbixConfigurationError}
 */
export function checkAccount(option: string, account: unknown = DEFAULT_ACCOUNT): string {
  if (typeof account === 'string' && account !== '') return account;
  throw new BerbixConfigurationError(
    `${option} must be the name of an account. Omit it if there is only one.`,
  );
}

/** Names the account in a message, if it has a name. */
export function ofAccount(account: string): string {
  return account === DEFAULT_ACCOUNT ? '' : ` of the account "${account}"`;
}

/**
 * Provides a service of an account. The services of a named account are not provided under their
 * class, so that `app.get(TheClass)` never finds them. So their dependencies are listed here, in
 * the order of the constructor; its decorators are for the account without a name.
 */
export function accountProvider<Dependencies extends unknown[], T>(
  account: string,
  service: Type<T> & (new (...dependencies: Dependencies) => T),
  inject: { [K in keyof Dependencies]: InjectionToken<Dependencies[K]> },
): Provider {
  const token = getBerbixToken(service, account);
  if (token === service) return service;
  return {
    provide: token,
    inject,
    useFactory: (...dependencies: Dependencies) => new service(...dependencies),
  };
}

/**
 * The service of an account for a guard, regardless of where the module is imported.
 *
 * @param guard its name, and the decorator with which it can name an account
 * @throws {BerbixConfigurationError} if the account is not registered
 */
export function findService<T>(
  moduleRef: ModuleRef,
  service: Abstract<T>,
  account: string,
  guard: { name: string; decorator: string },
): T {
  try {
    return moduleRef.get<T>(getBerbixToken(service, account), { strict: false });
  } catch {
    throw new BerbixConfigurationError(
      account === DEFAULT_ACCOUNT
        ? `${guard.name} needs BerbixModule.forRoot without an account, or an account in ${guard.decorator}.`
        : `${guard.name} needs BerbixModule.forRoot with the account "${account}".`,
    );
  }
}
