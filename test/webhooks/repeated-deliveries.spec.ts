import { describe, expect, it } from '@jest/globals';
import { sampleWebhookBody } from 'nestjs-berbix/testing';
import { CheckedStore, InMemoryTokenStore } from '../../lib/token-store/index.js';
import { readWebhook } from '../../lib/webhooks/dto/berbix-webhook.dto.js';
import { WebhookDeliveries } from '../../lib/webhooks/webhook-deliveries.js';
import { gate } from './support/replicas.js';

const webhook = (action: string) =>
  readWebhook('status', Buffer.from(sampleWebhookBody({ transactionId: '7', action })));
const [accept, review] = [webhook('accept'), webhook('review')];

const MINUTE = 60_000;
const deliveries = () =>
  new WebhookDeliveries(new CheckedStore(new InMemoryTokenStore(), MINUTE), 'webhook:', MINUTE);
const work = async (): Promise<void> => {};

// Each call is awaited with nothing that could wait for a lease: a mistake shows in its result.
describe('a delivery that equals the last one', () => {
  it('is repeated', async () => {
    const each = deliveries();
    expect(await each.once(accept, work)).toBe('handled');
    expect(await each.once(accept, work)).toBe('repeated');
    expect(await each.once(review, work)).toBe('handled');
    expect(await each.once(accept, work)).toBe('handled');
  });

  it.each<[string, object]>([
    ['customer', { customer_uid: 'eve' }],
    ['action', { action: 'reject' }],
    ['link', { dashboard_link: 'https://dashboard/2' }],
    ['unknown field', { addon: 1 }],
  ])('has the same %s', async (_what, change) => {
    const each = deliveries();
    const body = JSON.parse(sampleWebhookBody({ transactionId: '7', action: 'accept' })) as object;
    const other = readWebhook('status', Buffer.from(JSON.stringify({ ...body, ...change })));
    await each.once(accept, work);
    expect(await each.once(other, work)).toBe('handled');
  });

  it('is not repeated while another is being handled', async () => {
    const each = deliveries();
    await each.once(accept, work);
    const [begun, finished] = [gate(), gate()];
    const change = each.once(review, () => {
      begun.open();
      return finished.opened;
    });
    await begun.opened;
    const equal = await each.once(accept, work);
    finished.open();
    expect([equal, await change]).toEqual(['busy', 'handled']);
    expect(await each.once(accept, work)).toBe('handled');
  });
});
