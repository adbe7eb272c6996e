import { beforeEach } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { OnBerbixWebhook, type BerbixWebhookDto } from '../../../lib/webhooks/index.js';
import { SECRETS } from './webhook-app.js';

export const BODY = sampleWebhookBody({ customerUid: 'ada', action: 'accept' });

export function signed(kind: 'finished' | 'status', body = BODY): string {
  return signBerbixWebhook({ secret: SECRETS[kind], body });
}

/** The handler calls since the test began, as `handler: customer action`. */
export const calls: string[] = [];

beforeEach(() => {
  calls.length = 0;
});

@Injectable()
export class Mailer {
  readonly #name = 'mailer';

  @OnBerbixWebhook('finished')
  mail({ customerUid, action }: BerbixWebhookDto): void {
    calls.push(`${this.#name}: ${customerUid} ${action}`);
  }

  @OnBerbixWebhook('status')
  @OnBerbixWebhook('finished')
  async both({ kind }: BerbixWebhookDto): Promise<void> {
    await Promise.resolve();
    calls.push(`both: ${kind}`);
  }

  other(): void {
    calls.push('other');
  }
}
