import { BerbixConfigurationError } from '../errors/index.js';

/** The name of a method. */
export type MethodKey = string | symbol;

/** What a method handles; the members of a kind of handler are added to this. */
export interface HandlerRoute {
  /** The account, as passed to `forRoot`. */
  readonly account: string;
}

/** A kind of handler. */
export interface HandlerKind {
  /** The decorator of its methods, for messages: `@OnBerbixWebhook`. */
  readonly decorator: string;
  /** What its methods handle, for messages: `webhooks`. */
  readonly subject: string;
  /** The key of the metadata with the routes of a method. */
  readonly metadata: string;
}

type Routes<R> = readonly R[] | undefined;

/**
 * A decorator that adds a route to an instance method.
 *
 * @throws {BerbixConfigurationError} (the decorator does) on anything else
 */
export function handlerDecorator(kind: HandlerKind, route: HandlerRoute): MethodDecorator {
  const { decorator, metadata } = kind;
  return (target, name, descriptor: PropertyDescriptor) => {
    const method: unknown = descriptor?.value;
    if (typeof target === 'function' || typeof method !== 'function') {
      throw new BerbixConfigurationError(
        `${decorator} belongs on an instance method, and ${String(name)} is not one.`,
      );
    }
    // On the class, since a decorator above may replace the method and a subclass may override it;
    // and on the method, which may be copied into another class.
    const before = Reflect.getOwnMetadata(metadata, target, name) as Routes<HandlerRoute>;
    const routes = [...(before ?? []), route];
    Reflect.defineMetadata(metadata, routes, target, name);
    Reflect.defineMetadata(metadata, routes, method);
  };
}

/**
 * The methods of an instance that are handlers, with their routes; inherited ones too.
 *
 * @param prototype of the instance
 */
export function routesOf<R extends HandlerRoute>(
  { metadata }: HandlerKind,
  prototype: object | null,
): Map<MethodKey, readonly R[]> {
  const handlers = new Map<MethodKey, readonly R[]>();
  for (const [name, method] of listProperties(prototype)) {
    const ofClass = Reflect.getMetadata(metadata, prototype as object, name) as Routes<R>;
    const copied: unknown =
      typeof method === 'function' ? Reflect.getMetadata(metadata, method) : undefined;
    const routes = ofClass ?? (copied as Routes<R>);
    if (routes !== undefined) handlers.set(name, routes);
  }
  return handlers;
}

/** Own and inherited properties with their values; undefined for a getter, which is not called. */
export function listProperties(prototype: object | null): Map<MethodKey, unknown> {
  const properties = new Map<MethodKey, unknown>();
  for (let owner = prototype; owner !== null; owner = Reflect.getPrototypeOf(owner)) {
    for (const name of Reflect.ownKeys(owner)) {
      if (properties.has(name)) continue;
      properties.set(name, Reflect.getOwnPropertyDescriptor(owner, name)?.value);
    }
  }
  return properties;
}
