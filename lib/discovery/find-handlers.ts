import type { Logger } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { BerbixConfigurationError } from '../errors/index.js';
import { DEFAULT_ACCOUNT } from '../options/index.js';
import {
  routesOf,
  type HandlerKind,
  type HandlerRoute,
  type MethodKey,
} from './handler-metadata.js';

/** A provider or controller, from the discovery of Nest. */
export type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method that handles what its route says. */
export interface Handler<R extends HandlerRoute, T> {
  readonly route: R;
  /** `ClassName.method`, for messages. */
  readonly name: string;
  /** Calls the method, and awaits what it returns: an Observable does nothing without a subscriber. */
  run(argument: T): Promise<unknown>;
}

/** Where handlers are searched, and for whom. */
export interface HandlerSearch {
  readonly kind: HandlerKind;
  readonly discovery: DiscoveryService;
  /** The account whose handlers are returned. */
  readonly account: string;
  /** The injection token of a provider that each registered account has, with its `account`. */
  readonly accounts: unknown;
  readonly logger: Logger;
}

/** An instance with handlers. */
type Instance = Record<MethodKey, (argument: unknown) => unknown>;

/**
 * The handlers of an account, in the providers and controllers of the application. Call it when all
 * of them exist.
 *
 * @throws {BerbixConfigurationError} for a handler that can never be called
 */
export function findHandlers<R extends HandlerRoute, T>(search: HandlerSearch): Handler<R, T>[] {
  const { discovery } = search;
  const found: Handler<R, T>[] = [];
  // An alias is the same instance under another token.
  const seen = new Set<object>();
  const used: Wrapper[] = [];
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const { instance } = wrapper as { instance: unknown };
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    const own = handlersOf<R, T>(instance as Instance, wrapper, search);
    if (own.length === 0 || isDuplicate(wrapper, used, search)) continue;
    used.push(wrapper);
    found.push(...own);
  }
  return found;
}

function handlersOf<R extends HandlerRoute, T>(
  instance: Instance,
  wrapper: Wrapper,
  search: HandlerSearch,
): Handler<R, T>[] {
  const handlers: Handler<R, T>[] = [];
  for (const [method, routes] of routesOf<R>(search.kind, Reflect.getPrototypeOf(instance))) {
    const name = `${instance.constructor.name}.${String(method)}`;
    for (const route of routes) {
      checkAccount(name, route.account, search);
      if (route.account !== search.account) continue;
      checkScope(name, wrapper, search.kind);
      checkMethod(name, instance[method], search.kind);
      const run = async (argument: T): Promise<unknown> => settled(instance[method]?.(argument));
      handlers.push({ route, name, run });
    }
  }
  return handlers;
}

/** What the log has of an error of a handler. Anything can be thrown, even what has no text. */
export function shown(error: unknown): { text: string; stack?: string | undefined } {
  try {
    return { text: String(error), stack: error instanceof Error ? error.stack : undefined };
  } catch {
    return { text: typeof error };
  }
}

/**
 * Whether the class has another instance, which would do the work twice. Instances that a factory
 * creates do not count: they may differ.
 */
function isDuplicate(
  { metatype, instance, host }: Wrapper,
  used: readonly Wrapper[],
  { kind, logger }: HandlerSearch,
): boolean {
  const isClass = metatype === (instance as object).constructor;
  const first = isClass ? used.find((other) => other.metatype === metatype) : undefined;
  if (first === undefined) return false;
  logger.warn(
    `${metatype?.name} has two instances, in ${first.host?.name} and ${host?.name}. Its methods with ${kind.decorator} run only in ` +
      `${first.host?.name}. Provide it in one module, and export it from there.`,
  );
  return true;
}

function checkAccount(name: string, account: string, search: HandlerSearch): void {
  const { discovery, accounts, kind } = search;
  const isRegistered = discovery
    .getProviders()
    .some(
      ({ token, instance }) =>
        token === accounts && (instance as HandlerRoute | undefined)?.account === account,
    );
  if (isRegistered) return;
  throw new BerbixConfigurationError(
    account === DEFAULT_ACCOUNT
      ? `${name} is for BerbixModule.forRoot without an account, which is missing. Pass the account as the second argument of ${kind.decorator}.`
      : `${name} is for the account "${account}", which is not registered. Pass the account of forRoot to ${kind.decorator}.`,
  );
}

function checkScope(name: string, wrapper: Wrapper, { subject }: HandlerKind): void {
  if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return;
  throw new BerbixConfigurationError(
    `${name} cannot handle ${subject}: its class is ${wrapper.isTransient ? 'transient' : 'request-scoped, or depends on a request-scoped one'}, ` +
      'so there is no instance to call. Move the method to a class of the default scope.',
  );
}

function checkMethod(name: string, method: unknown, { decorator, subject }: HandlerKind): void {
  if (typeof method === 'function') return;
  throw new BerbixConfigurationError(
    `${name} cannot handle ${subject}: it has ${decorator}, but is not a method any more. Does a decorator or a subclass replace it?`,
  );
}

/** Waits for an Observable to complete; anything else is returned as it is. */
function settled(result: unknown): unknown {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
