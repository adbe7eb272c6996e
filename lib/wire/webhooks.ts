/** `v0,<unix seconds>,<hex>`. [sdk: all] */
export const SIGNATURE_HEADER = 'x-berbix-signature';

/** The version in this header. [sdk: all] */
export const SIGNATURE_VERSION = 'v0';

/**
 * The two kinds of webhook, each with its own URL and secret: the customer completed the flow; the
 * action was set or changed. [sdk: node-demo server/src/index.ts] [3p: paays]
 * ASSUMPTION: both have the same payload, which does not name the kind.
 */
export const WEBHOOK_KINDS = ['finished', 'status'] as const;
/** `finished`: the customer completed the flow; `status`: the action was set or changed. */
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** The body, with keys in this order and a final line break. [sdk: go berbix_test.go] */
export interface WebhookBody {
  /** A 64-bit integer. */
  transaction_id: number;
  customer_uid: string;
  action: string;
  dashboard_link: string;
  /** The same as `transaction_id`. [sdk: go berbix_test.go] */
  id: number;
}
