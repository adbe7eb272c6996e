import { describe, expect, it, jest } from '@jest/globals';
import { Client } from 'berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { HookServer } from '../sandbox/support/hook-server.js';
import { closeAfterTest } from '../support/closing.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { lastValueFrom } from 'rxjs';

const SECRET = 'whs_test_mine';

describe('signBerbixWebhook and sampleWebhookBody', () => {
  it('make what the sandbox sends', async () => {
    const server = await HookServer.start();
    closeAfterTest(() => server.close());
    const sandbox = await startSandbox({
      largeIds: true,
      webhooks: { finished: { url: server.url, secret: SECRET } },
    });
    const sample = await sandbox.webhooks.sendTest('finished');
    expect(sampleWebhookBody()).toBe(sample.body);
    const services = await servicesFor(sandbox);
    const tokens = await createTransaction(sandbox, services);
    await lastValueFrom(services.transactions.override(tokens, { responsePayload: 'us-dl' }), {
      defaultValue: undefined,
    });
    await sandbox.webhooks.settled();
    const transactionId = tokens.transactionId as string;
    expect(Number.isSafeInteger(Number(transactionId))).toBe(false);
    const body = sampleWebhookBody({
      transactionId,
      customerUid: 'ada',
      action: 'accept',
      dashboardLink: `https://dashboard.berbix.com/transactions/${transactionId}`,
    });
    expect(body).toBe(sandbox.deliveries.last?.body);
    for (const { headers, body: sent } of sandbox.deliveries) {
      const header = headers['x-berbix-signature'] as string;
      const timestamp = Number(header.split(',')[1]);
      expect(signBerbixWebhook({ secret: SECRET, body: sent, timestamp })).toBe(header);
      const bytes = Buffer.from(sent);
      expect(signBerbixWebhook({ secret: SECRET, body: bytes, timestamp })).toBe(header);
    }
  });

  it('sign with the second that has begun', () => {
    jest.spyOn(Date, 'now').mockReturnValueOnce(1_700_000_000_999);
    expect(signBerbixWebhook({ secret: SECRET, body: '{}' })).toMatch(/^v0,1700000000,/);
  });

  it('create what the official SDK accepts, now', () => {
    const client = new Client({ apiSecret: 'x' });
    const body = sampleWebhookBody({ customerUid: 'Zoë <&> \u2028 "' });
    expect(
      client.validateSignature(SECRET, body, signBerbixWebhook({ secret: SECRET, body })),
    ).toBe(true);
    expect(JSON.parse(body)).toHaveProperty('customer_uid', 'Zoë <&> \u2028 "');
    expect(body).toContain('\\u003c\\u0026\\u003e \\u2028');
  });

  it.each(['', 'x', '-1', '1.5', '01', '1,"x":1'])('refuse an id such as %j', (transactionId) => {
    expect(() => sampleWebhookBody({ transactionId })).toThrow(TypeError);
  });
});
