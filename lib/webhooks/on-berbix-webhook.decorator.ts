import { BerbixConfigurationError } from '../errors/index.js';
import type { WebhookKind } from '../wire/index.js';
import { webhookRoute, type WebhookRoute } from './webhook-route.js';

const HANDLES = 'berbix:on-webhook';

/** The name of a method, as its class has it. */
export type MethodKey = string | symbol;

/**
 * Has a method of a provider or controller called with each webhook of this kind, once its signature
 * was checked. The same delivery is handed over once by all replicas that share a token store; yet a
 * process that dies in the middle, or a handler that fails beside one that did not, makes it come
 * again: let a handler do its work twice without harm.
 *
 * A handler returns what it likes: a promise is waited for, an Observable is subscribed to until it
 * completes. One that throws, at once or in these, makes the delivery fail, so that Berbix sends it
 * again. Several handlers of a kind all run, at the same time. A class that is request-scoped or
 * transient stops the boot with a {@link BerbixConfigurationError}.
 *
 * Other decorators may stand above or below. A method that overrides one with this decorator in a
 * subclass handles the same webhooks, unless it has decorators of its own.
 *
 * Use it as `@OnBerbixWebhook('status') async onStatus({ customerUid }: BerbixWebhookDto) { ... }`.
 *
 * @param kind `finished` when the flow was completed, `status` when the action was determined or changed
 * @param account its name as given to `forRoot`, if it has one
 * @throws {BerbixConfigurationError} for anything but a method of instances, and for an unknown kind
 */
export function OnBerbixWebhook(kind: WebhookKind, account?: string): MethodDecorator {
  const route = webhookRoute('@OnBerbixWebhook', kind, account);
  return (target, name, descriptor: PropertyDescriptor) => {
    const method: unknown = descriptor?.value;
    if (typeof target === 'function' || typeof method !== 'function') {
      throw new BerbixConfigurationError(
        `@OnBerbixWebhook belongs on a method of instances; ${String(name)} is none.`,
      );
    }
    // On the class, since a decorator above may replace the method, and a subclass override it; and on
    // the method, which may be copied into another class.
    const routes = [...((Reflect.getOwnMetadata(HANDLES, target, name) as Routes) ?? []), route];
    Reflect.defineMetadata(HANDLES, routes, target, name);
    Reflect.defineMetadata(HANDLES, routes, method);
  };
}

type Routes = readonly WebhookRoute[] | undefined;

/**
 * The methods of an instance that handle webhooks, and which; inherited ones too.
 *
 * @param prototype of the instance
 */
export function handlersOf(prototype: object | null): Map<MethodKey, readonly WebhookRoute[]> {
  const handlers = new Map<MethodKey, readonly WebhookRoute[]>();
  for (const [name, method] of propertiesOf(prototype)) {
    const ofClass = Reflect.getMetadata(HANDLES, prototype as object, name) as Routes;
    const copied = typeof method === 'function' ? Reflect.getMetadata(HANDLES, method) : undefined;
    const routes = ofClass ?? (copied as Routes);
    if (routes !== undefined) handlers.set(name, routes);
  }
  return handlers;
}

/** Own and inherited ones, with their values; undefined for a getter, which does not run. */
export function propertiesOf(prototype: object | null): Map<MethodKey, unknown> {
  const properties = new Map<MethodKey, unknown>();
  for (let owner = prototype; owner !== null; owner = Reflect.getPrototypeOf(owner)) {
    for (const name of Reflect.ownKeys(owner)) {
      if (properties.has(name)) continue;
      properties.set(name, Reflect.getOwnPropertyDescriptor(owner, name)?.value);
    }
  }
  return properties;
}
