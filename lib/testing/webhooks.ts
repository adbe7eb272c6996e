import { signBody } from '../webhooks/webhook-signature.js';

/** The options of {@link signBerbixWebhook}. */
export interface SignBerbixWebhookOptions {
  /** The secret of the webhook. */
  secret: string;
  /** The bytes to send; a string is encoded as UTF-8. */
  body: string | Uint8Array;
  /**
   * Unix seconds.
   * @default the clock of this machine
   */
  timestamp?: number | undefined;
}

/**
 * Computes the `X-Berbix-Signature` header for a body, as Berbix does.
 *
 * @example
 * ```ts
 * const body = sampleWebhookBody({ customerUid: 'ada', action: 'accept' });
 * await request(app.getHttpServer())
 *   .post('/webhooks/berbix/finished')
 *   .set('content-type', 'application/json')
 *   .set('x-berbix-signature', signBerbixWebhook({ secret, body }))
 *   .send(body)
 *   .expect(204);
 * ```
 */
export function signBerbixWebhook({ secret, body, timestamp }: SignBerbixWebhookOptions): string {
  return signBody(secret, timestamp ?? Math.floor(Date.now() / 1000), body);
}

/** The values of a sample; the defaults are those of the dashboard's Test button. */
export interface SampleWebhook {
  /** The digits of a 64-bit integer. */
  transactionId?: string | undefined;
  customerUid?: string | undefined;
  action?: string | undefined;
  dashboardLink?: string | undefined;
}

/** Characters that Berbix escapes. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * The body of a webhook, byte for byte as Berbix writes it, with its order of keys and a final line
 * break. Send it unchanged: JSON that is made from the parsed body has another signature.
 *
 * @throws {TypeError} if the transaction id is not digits
 */
export function sampleWebhookBody({
  transactionId = '1234123412341234',
  customerUid = 'unique-uid',
  action = 'test-action',
  dashboardLink = 'https://docs.berbix.com',
}: SampleWebhook = {}): string {
  if (!/^(0|[1-9]\d{0,18})$/.test(transactionId)) {
    throw new TypeError('The transactionId of a sample webhook must be the digits of an integer.');
  }
  // Without JSON.stringify, since the id may have more digits than a number can hold.
  return (
    `{"transaction_id":${transactionId},"customer_uid":${text(customerUid)},"action":${text(action)},` +
    `"dashboard_link":${text(dashboardLink)},"id":${transactionId}}\n`
  );
}

function text(value: string): string {
  return JSON.stringify(value).replaceAll(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
