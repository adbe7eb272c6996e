import { BerbixConfigurationError } from '../errors/index.js';
import type { WebhookKind } from '../wire/index.js';
import { webhookRoute, type WebhookRoute } from './webhook-route.js';

const HANDLES = 'berbix:on-webhook';

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
 * @param kind `finished` when the flow was completed, `status` when the action was determined or changed
 * @param account its name as given to `forRoot`, if it has one
 * @throws {BerbixConfigurationError} for anything but a method of instances, and for an unknown kind
 *
 * @example
 * ```ts
 * @OnBerbixWebhook('status')
 * async onStatus({ customerUid, transactionId }: BerbixWebhookDto) { ... }
 * ```
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
    Reflect.defineMetadata(HANDLES, [...handledBy(method), route], method);
  };
}

/** The hooks that a method handles. */
export function handledBy(method: object): readonly WebhookRoute[] {
  return (Reflect.getMetadata(HANDLES, method) as WebhookRoute[] | undefined) ?? [];
}
