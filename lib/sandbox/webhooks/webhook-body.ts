import type { WebhookBody } from '../../wire/index.js';
import { toApiJson, type ApiJson } from '../api-json.js';

/** What a webhook tells. */
export interface WebhookContent {
  /** A 64-bit integer on the wire, in decimal digits. [sdk: go berbix_test.go] */
  transactionId: string;
  customerUid: string;
  action: string;
  dashboardLink: string;
}

/** What the Test button of the dashboard sends. [sdk: go berbix_test.go] */
export const SAMPLE_CONTENT: WebhookContent = {
  transactionId: '1234123412341234',
  customerUid: 'unique-uid',
  action: 'test-action',
  dashboardLink: 'https://docs.berbix.com',
};

/** These are escaped by the encoder of Go, whose line break at the end shows that it is the one. */
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

/** The bytes that are signed: keys in this order, and a line break. [sdk: go berbix_test.go] */
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

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
