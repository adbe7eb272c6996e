import { signatureOf } from '../webhooks/webhook-signature.js';

/** What {@link signBerbixWebhook} signs. */
export interface SignBerbixWebhookOptions {
  /** The secret of the hook. */
  secret: string;
  /** The bytes that you will send; a string stands for its UTF-8. */
  body: string | Uint8Array;
  /**
   * Unix seconds.
   * @default the clock of this machine
   */
  timestamp?: number | undefined;
}

/**
 * The value of the `X-Berbix-Signature` header for a body, as Berbix makes it.
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
  return signatureOf(secret, timestamp ?? Math.floor(Date.now() / 1000), body);
}

/** What a sample tells; the rest is as in the delivery that the Test button of the dashboard sends. */
export interface SampleWebhook {
  /** The digits of a 64-bit integer. */
  transactionId?: string | undefined;
  customerUid?: string | undefined;
  action?: string | undefined;
  dashboardLink?: string | undefined;
}

/** Berbix escapes these. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * The body of a webhook, byte for byte as Berbix writes it: keys in its order, a line break at the
 * end. Send it as it is; a JSON text made of the parsed body has another signature.
 *
 * @throws {TypeError} for a transaction id that is not digits
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
  // Not through JSON.stringify: the id may have more digits than a number holds.
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
