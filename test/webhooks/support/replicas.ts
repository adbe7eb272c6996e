import { beforeEach } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import type { BerbixTokenStore } from '../../../lib/token-store/index.js';
import {
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookDto,
  type BerbixWebhookOptions,
} from '../../../lib/webhooks/index.js';
import type { Platform } from '../../support/platforms.js';
import { SECRETS, post, startApp, webhookModule, type WebhookApp } from './webhook-app.js';

/** What handlers do with a delivery, and the handled actions in order. */
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
  platform: Platform = 'express',
  providers: Type[] = [Handler],
): Promise<WebhookApp> {
  return startApp({
    platform,
    imports: [webhookModule({ ...SECRETS, ...options }, store)],
    controllers: [createBerbixWebhookController()],
    providers,
  });
}

/** Sends a status webhook like Berbix, with a unique timestamp; returns the status of the answer. */
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

/** A promise that holds work back until it is opened. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
