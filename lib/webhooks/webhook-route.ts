import { BerbixConfigurationError } from '../errors/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';

/** Metadata of a route, or of a controller: the {@link WebhookRoute} that it takes. */
export const TAKES = 'berbix:webhook-route';

/** Metadata of a controller that leaves everything to the handlers. */
export const HANDS_OVER = 'berbix:webhooks-to-handlers';

/** A hook of an account. */
export interface WebhookRoute {
  readonly kind: WebhookKind;
  /** As given to `forRoot`; undefined for the one without a name. */
  readonly account: string | undefined;
}

/**
 * Checks what a decorator was given.
 *
 * @param decorator for the message
 * @throws {BerbixConfigurationError}
 */
export function webhookRoute(decorator: string, kind: unknown, account: unknown): WebhookRoute {
  if (!WEBHOOK_KINDS.includes(kind as WebhookKind)) {
    throw new BerbixConfigurationError(
      `${decorator} must be given one of '${WEBHOOK_KINDS.join("', '")}'.`,
    );
  }
  if (account !== undefined && (typeof account !== 'string' || account === '')) {
    throw new BerbixConfigurationError(
      `The second argument of ${decorator} must be the name of an account, as given to forRoot, or left out.`,
    );
  }
  return { kind: kind as WebhookKind, account };
}
