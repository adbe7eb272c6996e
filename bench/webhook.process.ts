import { createHmac } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { Client } from 'berbix';
import { BerbixModule, BerbixWebhookService } from 'nestjs-berbix';
import { signBerbixWebhook } from 'nestjs-berbix/testing';
import { API_SECRET } from './harness/api.js';
import { measureCalls, type Call } from './harness/calls.js';
import { versionOf } from './harness/environment.js';

const SECRET = `whs_test_${'0123456789abcdef'.repeat(2)}`;

/** How many different webhooks there are, so that none is checked twice in a row. */
const DELIVERIES = 64;

/** A webhook as it arrives. */
interface Delivery {
  header: string;
  body: Buffer;
}

/** As Berbix writes it; its last field fills it up to the number of bytes. */
function delivery(number: number, bytes: number): Delivery {
  const id = 1_234_123_412_341_234 + number;
  const start = `{"transaction_id":${id},"customer_uid":"ada","action":"accept","dashboard_link":"https://dashboard.berbix.com/transactions/${id}","id":${id},"note":"`;
  const body = Buffer.from(`${start}${'x'.repeat(Math.max(0, bytes - start.length - 3))}"}\n`);
  return { body, header: signBerbixWebhook({ secret: SECRET, body }) };
}

/** The least that every check has to do. */
function isSigned({ header, body }: Delivery): boolean {
  const [, timestamp, signature] = header.split(',');
  const hmac = createHmac('sha256', SECRET).update(`${timestamp},${SECRET},`).update(body);
  return hmac.digest('hex') === signature;
}

measureCalls(async () => {
  const bytes = Number(process.argv[2]);
  const deliveries = Array.from({ length: DELIVERIES }, (_, number) => delivery(number, bytes));
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ apiSecret: API_SECRET, webhooks: { finished: SECRET } }),
    { logger: false },
  );
  const service = application.get(BerbixWebhookService);
  const client = new Client({ apiSecret: API_SECRET });

  /** Checks the next webhook, which is valid. */
  function each(check: (delivery: Delivery) => boolean): Call {
    let next = 0;
    return () => {
      if (!check(deliveries[next++ % DELIVERIES] as Delivery)) throw new Error('It was refused.');
    };
  }

  function eachAwaited(check: (delivery: Delivery) => Promise<boolean>): Call {
    let next = 0;
    return async () => {
      if (!(await check(deliveries[next++ % DELIVERIES] as Delivery))) {
        throw new Error('It was refused.');
      }
    };
  }

  return {
    'bare HMAC over the same bytes': each(isSigned),
    'the same, and JSON.parse of the body': each(
      (webhook) =>
        isSigned(webhook) &&
        (JSON.parse(webhook.body.toString()) as { customer_uid: string }).customer_uid === 'ada',
    ),
    'BerbixWebhookService.verifySignature': eachAwaited(async ({ header, body }) => {
      await service.verifySignature({ kind: 'finished', header, rawBody: body });
      return true;
    }),
    'BerbixWebhookService.verify': eachAwaited(async ({ header, body }) => {
      const webhook = await service.verify({ kind: 'finished', header, rawBody: body });
      return webhook.customerUid === 'ada';
    }),
    // It takes the body only as a string.
    [`berbix ${versionOf('berbix')}, validateSignature`]: each(({ header, body }) =>
      client.validateSignature(SECRET, body.toString(), header),
    ),
  };
});
