import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { Controller, Post, UseGuards } from '@nestjs/common';
import * as sdk from 'berbix';
import {
  BerbixModule,
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  isBerbixError,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { PLATFORMS } from '../../support/platforms.js';
import { servicesFor, startSandbox } from '../../support/services.js';
import { post, startApp, type WebhookApp } from '../../webhooks/support/webhook-app.js';

/** A webhook as it arrives: text stands for its UTF-8. */
export interface Delivery {
  body: string | Buffer;
  header: string | undefined;
}

/** The secret of the finished webhook on both sides. */
export const SECRET = 'whs_test_conformance';

/** The code of the error for an invalid signature. */
export const REFUSED = 'BERBIX_WEBHOOK_SIGNATURE';

@Controller('hook')
class HookController {
  @Post()
  @UseGuards(BerbixWebhookGuard)
  @BerbixWebhookKind('finished')
  take(@BerbixWebhook() { customerUid }: BerbixWebhookDto): string {
    return customerUid;
  }
}

/** Our verification and that of the official client, with a sandbox that sends what they verify. */
export interface Verifiers {
  sandbox: BerbixSandbox;
  /** Makes the sandbox send the finished webhook of a new transaction to an application with our guard. */
  send(customerUid?: string): Promise<Delivery & { body: string; header: string; status: number }>;
  /** The result of the official client; throws what that throws. */
  theirs(delivery: Delivery, secret?: string): boolean;
  /** The result of our service: the customer, or the code of the error. */
  ours(delivery: Delivery, now?: Date): Promise<string>;
  /** Statuses over HTTP, with our guard, on each platform. */
  answers(delivery: Delivery): Promise<number[]>;
}

/** The verifiers for one test. */
export async function startVerifiers(): Promise<Verifiers> {
  const apps: WebhookApp[] = [];
  for (const platform of PLATFORMS) {
    const account = { apiSecret: 'secret_test_x', webhooks: { finished: SECRET } };
    apps.push(
      await startApp({
        platform,
        imports: [BerbixModule.forRoot(account)],
        controllers: [HookController],
      }),
    );
  }
  const sandbox = await startSandbox({
    webhooks: { finished: { url: `${apps[0]?.url}/hook`, secret: SECRET }, retryDelayMs: 1 },
  });
  const { transactions } = await servicesFor(sandbox);
  const client = new sdk.Client({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url });
  const service = apps[0]?.module.get(BerbixWebhookService, { strict: false });
  return {
    sandbox,
    async send(customerUid = 'ada') {
      const templateKey = sandbox.templateKeys.sdk;
      const tokens = await firstValueFrom(transactions.create({ customerUid, templateKey }));
      await firstValueFrom(transactions.override(tokens, { responsePayload: 'us-dl' }));
      await sandbox.webhooks.settled();
      const { body = '', headers, status = 0 } = sandbox.deliveries.last ?? {};
      return { body, header: headers?.['x-berbix-signature'] ?? '', status };
    },
    theirs: ({ body, header }, secret = SECRET) =>
      client.validateSignature(secret, body.toString(), header),
    async ours({ body, header }, now) {
      const request = { kind: 'finished', header, rawBody: Buffer.from(body as string) } as const;
      try {
        return (await service?.verify(now ? { ...request, now } : request))?.customerUid ?? '';
      } catch (error) {
        if (isBerbixError(error)) return error.code;
        throw error;
      }
    },
    async answers({ body, header }) {
      const sent = apps.map(({ url }) => post(`${url}/hook`, body, header));
      return (await Promise.all(sent)).map(({ status }) => status);
    },
  };
}

/** A delivery with a valid signature, whatever its timestamp is. */
export function signed(body: string | Buffer, timestamp: string, secret = SECRET): Delivery {
  const hex = createHmac('sha256', secret).update(`${timestamp},${secret},`).update(body);
  return { body, header: `v0,${timestamp},${hex.digest('hex')}` };
}

/** The seconds since 1970 in the header of a delivery. */
export function timestampOf({ header }: Delivery): number {
  return Number(header?.split(',')[1]);
}

/**
 * Verifies one delivery after the other in a process of its own, in which every HMAC has this digest,
 * and counts the constant-time comparisons of each.
 */
export async function verifyWithDigest(
  digest: string,
  deliveries: Delivery[],
  secrets: string[],
): Promise<{ end: string; comparisons: number }[]> {
  const program = `
    import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    const { digest, deliveries, secrets } = JSON.parse(process.env.VERIFY);
    const [compare, hmac] = [crypto.timingSafeEqual, { update: () => hmac, digest: () => digest }];
    let comparisons = 0;
    crypto.timingSafeEqual = (...texts) => (comparisons++, compare(...texts));
    crypto.createHmac = () => hmac;
    syncBuiltinESMExports();
    await import('reflect-metadata');
    const { NestFactory } = await import('@nestjs/core');
    const { BerbixModule, BerbixWebhookService } = await import('nestjs-berbix');
    const module = BerbixModule.forRoot({ apiSecret: 'x', webhooks: { finished: secrets } });
    const context = await NestFactory.createApplicationContext(module, { logger: false });
    const verdicts = [];
    for (const { body, header } of deliveries) {
      comparisons = 0;
      const end = await context.get(BerbixWebhookService)
        .verify({ kind: 'finished', header, rawBody: Buffer.from(body) })
        .then(({ customerUid }) => customerUid, ({ code }) => code);
      verdicts.push({ end, comparisons });
    }
    await context.close();
    console.log(JSON.stringify(verdicts));`;
  const VERIFY = JSON.stringify({ digest, deliveries, secrets });
  const flags = ['--input-type=module', '-e', program];
  const env = { PATH: process.env['PATH'] ?? '', VERIFY };
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env });
  return JSON.parse(stdout) as { end: string; comparisons: number }[];
}
