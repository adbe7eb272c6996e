import type { Abstract, InjectionToken, Provider, Type } from '@nestjs/common';

/**
 * The injection token of a service of an account: the class itself for the account without a name.
 * `Symbol.for`, so that two loaded copies of this package mean the same.
 *
 * @param kind tells the services of an account apart
 * @param account its name as given to `forRoot`
 */
export function accountToken<T>(
  service: Abstract<T>,
  kind: string,
  account: string | undefined,
): InjectionToken<T> {
  return account === undefined ? service : Symbol.for(`berbix:${kind}:${account}`);
}

/**
 * Provides a service under its token of an account. A named account has nothing under the class, so
 * that `app.get(TheClass)` never finds it; hence its dependencies are listed here, in the order of
 * the constructor, whose decorators hold for the account without a name.
 */
export function accountProvider<Dependencies extends unknown[], T>(
  token: InjectionToken<T>,
  service: Type<T> & (new (...dependencies: Dependencies) => T),
  inject: { [K in keyof Dependencies]: InjectionToken<Dependencies[K]> },
): Provider {
  if (token === service) return service;
  return {
    provide: token,
    inject,
    useFactory: (...dependencies: Dependencies) => new service(...dependencies),
  };
}
