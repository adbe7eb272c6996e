/** `v0,<unix seconds>,<hex>`. [sdk: all] */
export const SIGNATURE_HEADER = 'x-berbix-signature';

/** The version in that header. [sdk: all] */
export const SIGNATURE_VERSION = 'v0';

/**
 * The two kinds of hook, each with its own URL and secret: the flow was completed; the action was
 * determined or changed. [sdk: node-demo server/src/index.ts] [3p: paays]
 * ASSUMPTION: both carry the same payload, and nothing in it names the kind.
 */
export const WEBHOOK_KINDS = ['finished', 'status'] as const;
/** Which hook: `finished` tells of a completed flow, `status` of a new action. */
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** The body, in this order of keys, and a line break at its end. [sdk: go berbix_test.go] */
export interface WebhookBody {
  /** A 64-bit integer. */
  transaction_id: number;
  customer_uid: string;
  action: string;
  dashboard_link: string;
  /** The same as `transaction_id`. [sdk: go berbix_test.go] */
  id: number;
}
