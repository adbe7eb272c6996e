import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { NestFactory } from '@nestjs/core';
import { BerbixModule, BerbixWebhookService } from 'nestjs-berbix';
import { API_SECRET } from '../support/api.js';
import { versionOf } from '../support/environment.js';

/** A webhook as it arrives. */
export interface Delivery {
  header: string;
  body: Buffer;
}

/** One way to check a webhook; what is not good gives false, or is refused. */
export interface Contestant {
  title: string;
  check(delivery: Delivery): Promise<boolean | void> | boolean;
}

/** What everything is compared with: the least that has to be done, whoever does it. */
export const BARE = 'bare HMAC over the same bytes';

/** The one that is measured. */
const OURS = 'BerbixWebhookService.verify';

/** What we use of `berbix`, which has no types of its own. */
interface OfficialSdk {
  Client: new (options: { apiSecret: string }) => {
    validateSignature(secret: string, body: string, header: string): boolean;
  };
}

/** All of them, for one secret. */
export async function openContestants(secret: string): Promise<Contestant[]> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ apiSecret: API_SECRET, webhooks: { finished: secret } }),
    { logger: false },
  );
  const service = application.get(BerbixWebhookService);
  const { Client } = createRequire(import.meta.url)('berbix') as OfficialSdk;
  const client = new Client({ apiSecret: API_SECRET });
  return [
    {
      title: BARE,
      check: ({ header, body }) => {
        const [, timestamp, signature] = header.split(',');
        const hmac = createHmac('sha256', secret).update(`${timestamp},${secret},`).update(body);
        return hmac.digest('hex') === signature;
      },
    },
    {
      title: 'the same, and JSON.parse of the body',
      check: ({ header, body }) => {
        const [, timestamp, signature] = header.split(',');
        const hmac = createHmac('sha256', secret).update(`${timestamp},${secret},`).update(body);
        if (hmac.digest('hex') !== signature) return false;
        return (JSON.parse(body.toString()) as { customer_uid: string }).customer_uid === 'ada';
      },
    },
    {
      title: `${OURS}Signature`,
      check: ({ header, body }) =>
        service.verifySignature({ kind: 'finished', header, rawBody: body }),
    },
    {
      title: OURS,
      check: async ({ header, body }) => {
        const webhook = await service.verify({ kind: 'finished', header, rawBody: body });
        return webhook.customerUid === 'ada';
      },
    },
    {
      // It has no other parameter for the body than a text.
      title: `berbix ${versionOf('berbix')}, validateSignature`,
      check: ({ header, body }) => client.validateSignature(secret, body.toString(), header),
    },
  ];
}
