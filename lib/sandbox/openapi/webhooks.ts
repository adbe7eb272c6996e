import {
  ACTIONS,
  SIGNATURE_HEADER,
  SIGNATURE_VERSION,
  type WebhookBody,
  type WebhookKind,
} from '../../wire/index.js';
import { int64, object, openWord, type Operation, ref, type Schema, string } from './model.js';

/** The body of both webhooks. */
export const WEBHOOK_SCHEMAS: Record<string, Schema> = {
  WebhookBody: object<WebhookBody>(
    {
      transaction_id: int64({ examples: [1_234_123_412_341_234] }),
      customer_uid: string({ examples: ['alice'] }),
      action: openWord(ACTIONS, { examples: ['accept'] }),
      dashboard_link: string({ examples: ['https://docs.berbix.com'] }),
      id: int64({ description: 'The same as transaction_id.', examples: [1_234_123_412_341_234] }),
    },
    ['transaction_id', 'customer_uid', 'action', 'dashboard_link', 'id'],
    'It does not name the kind of webhook: give each kind a URL of its own.',
  ),
};

const SIGNATURE = `Three parts, separated by commas: \`${SIGNATURE_VERSION}\`, the time in Unix seconds, and a lower-case hexadecimal HMAC-SHA256. Its key is the secret of this webhook, and its message is the time, a comma, the same secret, a comma, and the bytes of the body.`;

const DESCRIPTION = `Check the signature over the body as it arrived, with its last line break: parsing and writing it again changes the bytes. Refuse a time that is more than 300 seconds old, and compare in constant time. The same webhook may arrive more than once.

The body has no tokens. Find the stored refresh token by \`customer_uid\` or \`transaction_id\`, and [fetch the result](#/Transactions/fetchTransaction) with it.`;

/** The two webhooks. [sdk: all] [sdk: node-demo server/src/index.ts] */
export const WEBHOOKS: Record<WebhookKind, { post: Operation }> = {
  finished: webhook('verificationFinished', 'The customer has completed the flow'),
  status: webhook('verificationStatus', 'The action was determined or changed'),
};

/** ASSUMPTION: any 2xx confirms it, and anything else leads to another attempt. [sdk: webhook-demo] */
function webhook(operationId: string, summary: string): { post: Operation } {
  return {
    post: {
      operationId,
      tags: ['Webhooks'],
      summary,
      description: DESCRIPTION,
      security: [],
      parameters: [
        {
          name: headerName(SIGNATURE_HEADER),
          in: 'header',
          description: SIGNATURE,
          required: true,
          schema: string({
            pattern: `^${SIGNATURE_VERSION},\\d+,[0-9a-f]{64}$`,
            examples: [`${SIGNATURE_VERSION},1700000000,${'0123456789abcdef'.repeat(4)}`],
          }),
        },
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: ref('WebhookBody') } },
      },
      responses: {
        200: { description: 'Received. Any other 2xx does, too; the body does not matter.' },
        default: { description: 'Not received: it is sent again, a few times.' },
      },
    },
  };
}

/** Header names as people write them. */
function headerName(name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}
