import { beforeEach } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import type { BerbixTokenStore } from '../../lib/token-store/index.js';
import {
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookDto,
  type BerbixWebhookOptions,
} from '../../lib/webhooks/index.js';
import { PLATFORMS } from '../support/platforms.js';
import {
  SECRETS,
  post,
  startApp,
  webhookModule,
  type Adapter,
  type WebhookApp,
} from './webhook-app.support.js';

/** What handlers do with a delivery, and the actions in the order in which they were handled. */
export const handling: {
  work: (webhook: BerbixWebhookDto) => unknown;
  done: (string | undefined)[];
} = {
  work: () => {},
  done: [],
};

beforeEach(() => {
  handling.done = [];
  handling.work = () => {};
});

@Injectable()
export class Handler {
  @OnBerbixWebhook('finished')
  @OnBerbixWebhook('status')
  async handle(webhook: BerbixWebhookDto): Promise<void> {
    handling.done.push(webhook.action);
    await handling.work(webhook);
  }
}

/** A replica of an application with one handler of all webhooks. */
export async function replica(
  store: BerbixTokenStore,
  options: BerbixWebhookOptions = {},
  adapter: Adapter = PLATFORMS[0][1],
  providers: Type[] = [Handler],
): Promise<WebhookApp> {
  return startApp({
    adapter,
    imports: [webhookModule({ ...SECRETS, ...options }, store)],
    controllers: [createBerbixWebhookController()],
    providers,
  });
}

/** Sends a status webhook as Berbix would, with a timestamp of its own; gives the status of the answer. */
let second = 0;
export async function send(
  { url }: WebhookApp,
  action = 'accept',
  transactionId = '7',
): Promise<number> {
  const body = sampleWebhookBody({ transactionId, action });
  const timestamp = Math.floor(Date.now() / 1000) - (second++ % 60);
  const header = signBerbixWebhook({ secret: SECRETS.status, body, timestamp });
  return (await post(`${url}/webhooks/berbix/status`, body, header)).status;
}

/** A promise to keep work waiting on. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
