import { createHmac, type UUID } from 'node:crypto';
import { SIGNATURE_VERSION, type WebhookBody, type WebhookKind } from '../../wire/index.js';
import { type ApiJson, toApiJson } from '../http/api-json.js';

/**
 * What is wrong with all attempts of a webhook.
 *
 * - `duplicate`: it is sent again after it was delivered or given up.
 * - `late`: its timestamp is a day old, which no SDK accepts; the signature is valid.
 * - `unsigned`: it has no signature.
 * - `forged`: it is signed with another secret.
 * - `old_secret`: it is signed with the secret before the current one, which is the same with `-old` at
 *   its end: what is on its way while a secret is replaced.
 */
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number];

/** All faults of webhooks. */
export const WEBHOOK_FAULTS = ['duplicate', 'late', 'unsigned', 'forged', 'old_secret'] as const;

/** A webhook that was neither delivered nor given up yet: data that survives JSON. */
export interface PendingWebhook {
  readonly id: UUID;
  readonly kind: WebhookKind;
  readonly url: string;
  readonly body: string;
  readonly fault?: WebhookFault;
  /** The delivery that it repeats. */
  readonly resendOf?: string;
}

/** Stores webhooks that the next run of the sandbox must send. */
export interface PendingWebhooks {
  /** Those of the last run, in any order. */
  load(): Promise<PendingWebhook[]>;
  /** Does nothing if it exists. */
  add(webhook: PendingWebhook): Promise<void>;
  delete(id: string): Promise<void>;
}

/** The content of a webhook. */
export interface WebhookContent {
  /** A 64-bit integer on the wire, in decimal digits. [sdk: go berbix_test.go] */
  transactionId: string;
  customerUid: string;
  action: string;
  dashboardLink: string;
}

/** The sample of the Test button in the dashboard. [sdk: go berbix_test.go] */
export const SAMPLE_CONTENT: WebhookContent = {
  transactionId: '1234123412341234',
  customerUid: 'unique-uid',
  action: 'test-action',
  dashboardLink: 'https://docs.berbix.com',
};

/** Go's JSON encoder escapes these, and ends with a line break, as the bytes of real webhooks do. */
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

/** The signed bytes: keys in this order, and a line break. [sdk: go berbix_test.go] */
export function webhookBody(content: WebhookContent): string {
  const { transactionId, customerUid, action, dashboardLink } = content;
  const id = BigInt(transactionId);
  const json = toApiJson({
    transaction_id: id,
    customer_uid: customerUid,
    action,
    dashboard_link: dashboardLink,
    id,
  } satisfies Record<keyof WebhookBody, ApiJson>);
  return `${json.replaceAll(ESCAPED_BY_GO, escapeUnicode)}\n`;
}

/** Whom the body of a webhook is about. */
export function subjectOf(body: string): Pick<WebhookContent, 'transactionId' | 'customerUid'> {
  // As text: a number would lose digits.
  const [, transactionId = ''] = /^\{"transaction_id":(\d+)/.exec(body) ?? [];
  return { transactionId, customerUid: (JSON.parse(body) as WebhookBody).customer_uid };
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The signature header: the version, the timestamp and the signature. [sdk: all] */
export function signatureOf(secret: string, unixSeconds: number, body: string): string {
  const hex = hmacOf(secret, signedText(secret, unixSeconds, body));
  return `${SIGNATURE_VERSION},${unixSeconds},${hex}`;
}

/** The secret is both the key and part of the signed text. [sdk: all] */
function signedText(secret: string, unixSeconds: number, body: string): string {
  return `${unixSeconds},${secret},${body}`;
}

function hmacOf(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** How a receiver checks the signature of a webhook. */
export interface SignatureCheck {
  /** The `x-berbix-signature` of its latest attempt. */
  readonly header: string;
  /** The second part of the header, in seconds since 1970. It must not be too old. */
  readonly timestamp: number;
  /** What is signed: the timestamp, the secret of the receiver and the raw body, with commas. */
  readonly signedText: string;
  /** The key is the secret. */
  readonly algorithm: 'HMAC-SHA256';
  /** The signature in hexadecimal digits, which the third part of the header must be. */
  readonly expected: string;
}

/** The check of a signature header by a receiver with this secret. */
export function checkOf(header: string, secret: string, body: string): SignatureCheck {
  const timestamp = Number(header.split(',')[1]);
  const text = signedText(secret, timestamp, body);
  return {
    header,
    timestamp,
    signedText: text,
    algorithm: 'HMAC-SHA256',
    expected: hmacOf(secret, text),
  };
}
