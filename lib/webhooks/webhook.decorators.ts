import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { handlerDecorator, type HandlerKind, type HandlerRoute } from '../discovery/index.js';
import { BerbixConfigurationError } from '../errors/index.js';
import { checkAccount } from '../options/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';

/** Metadata of a route or controller: the {@link WebhookRoute} that it receives. */
export const RECEIVES = 'berbix:webhook-route';

/** Metadata of a controller that only passes webhooks on to the handlers. */
export const HANDS_OVER = 'berbix:webhooks-to-handlers';

/** The methods that handle webhooks. */
export const WEBHOOK_HANDLERS: HandlerKind = {
  decorator: '@OnBerbixWebhook',
  subject: 'webhooks',
  metadata: 'berbix:on-webhook',
};

/** A webhook of an account. */
export interface WebhookRoute extends HandlerRoute {
  readonly kind: WebhookKind;
}

/**
 * Says which webhook a route, or every route of a controller, receives; {@link BerbixWebhookGuard}
 * needs it, since a delivery does not say.
 *
 * @param account as passed to `forRoot`, if there is one
 * @throws {BerbixConfigurationError} for an unknown kind
 */
export function BerbixWebhookKind(kind: WebhookKind, account?: string): CustomDecorator {
  return SetMetadata(RECEIVES, webhookRoute('@BerbixWebhookKind', kind, account));
}

/**
 * Calls a method of a provider or controller with each webhook of this kind, after its signature
 * was checked. All replicas that share a token store handle a delivery once. Yet it comes again
 * after a process died in the middle, or after one of several handlers failed, so handlers must be
 * idempotent.
 *
 * A handler may return anything: promises are awaited, and Observables are subscribed to until they
 * complete. If it throws or rejects, the delivery fails, and Berbix may send it again. Several
 * handlers of a kind run at the same time. A request-scoped or transient class stops the boot with
 * a {@link BerbixConfigurationError}.
 *
 * Other decorators may be above or below. A subclass method that overrides one with this decorator
 * handles the same webhooks, unless it has this decorator too.
 *
 * Use it as `@OnBerbixWebhook('status') async onStatus({ customerUid }: BerbixWebhookDto) { ... }`.
 *
 * @param kind `finished`: the customer completed the flow; `status`: the action was set or changed
 * @param account as passed to `forRoot`, if there is one
 * @throws {BerbixConfigurationError} on anything but an instance method, and for an unknown kind
 */
export function OnBerbixWebhook(kind: WebhookKind, account?: string): MethodDecorator {
  return handlerDecorator(
    WEBHOOK_HANDLERS,
    webhookRoute(WEBHOOK_HANDLERS.decorator, kind, account),
  );
}

/** @throws {BerbixConfigurationError} that names the decorator */
function webhookRoute(decorator: string, kind: unknown, account: unknown): WebhookRoute {
  if (!WEBHOOK_KINDS.includes(kind as WebhookKind)) {
    throw new BerbixConfigurationError(
      `The first argument of ${decorator} must be '${WEBHOOK_KINDS.join("' or '")}'.`,
    );
  }
  return {
    kind: kind as WebhookKind,
    account: checkAccount(`The second argument of ${decorator}`, account),
  };
}
