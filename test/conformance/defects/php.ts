import { expect } from '@jest/globals';
import { TransactionDto, type BerbixTokens } from 'nestjs-berbix';
import { sampleWebhookBody } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../../support/services.js';
import { until } from '../../support/until.js';
import { startServer } from '../support/plain-server.js';
import type { Proofs } from '../sdk-defects.js';
import { REFUSED, SECRET, signed, verifyWithDigest } from '../support/webhook-verifiers.js';

/** What the API answers about a transaction. */
const metadataOf = ({ transactionId }: BerbixTokens) => ({
  id: Number(transactionId),
  customer_uid: 'ada',
  action: 'accept',
});

export const php: Proofs<'php.'> = {
  async 'php.1'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { transactions } = services;
    const created = await createTransaction(sandbox, services);
    const body = { ...metadataOf(created), next_step: 'done' };
    sandbox.faults.add({ kind: 'answer', body, times: 6 });
    await firstValueFrom(transactions.fetch(created));
    await firstValueFrom(transactions.update(created, { action: 'accept' }));
    await firstValueFrom(transactions.override(created, { responsePayload: 'us-dl' }));
    await firstValueFrom(transactions.delete(created));
    const [, ...onTransaction] = sandbox.requests;
    expect(onTransaction).toHaveLength(4);
    for (const { headers } of onTransaction) {
      expect(headers.authorization).toBe(`Bearer ${created.accessToken}`);
    }
    sandbox.requests.clear();
    const image = { imageSubject: 'document_front', data: 'AAAA' } as const;
    await firstValueFrom(transactions.uploadImages(created, [image]));
    await firstValueFrom(transactions.uploadIdScan(created, 'AAAA'));
    for (const { headers } of sandbox.requests) {
      expect(headers.authorization).toBe(`Bearer ${created.clientToken}`);
    }
  },

  async 'php.2'() {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    const { hosted, apiOnly } = sandbox.templateKeys;
    await firstValueFrom(transactions.createHosted({ customerUid: 'ada', templateKey: hosted }));
    expect(sandbox.requests.last?.body).toContain('"hosted_options":{}');
    await firstValueFrom(transactions.createApiOnly({ customerUid: 'ada', templateKey: apiOnly }));
    expect(sandbox.requests.last?.body).toContain('"api_only_options":{}');
  },

  async 'php.3'() {
    const silent = await startServer();
    const limited = await startServices({
      apiSecret: 'x',
      apiHost: silent.url,
      retry: 0,
      timeoutMs: 100,
    });
    expect((await errorOf(limited.tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');

    const nowhere = await startServices({
      apiSecret: 'x',
      apiHost: 'http://127.0.0.1:9',
      retry: 0,
    });
    expect(await errorOf(nowhere.tokens.refresh('rt_any'))).toMatchObject({
      code: 'BERBIX_CONNECTION',
      reason: 'ECONNREFUSED',
    });

    const failing = await startServer((_request, response) => {
      response.writeHead(500).end('<p>no');
    });
    const { module, tokens } = await startServices({
      apiSecret: 'x',
      apiHost: failing.url,
      retry: 0,
    });
    for (let call = 0; call < 9; call++) await errorOf(tokens.refresh('rt_any'));
    expect(failing.opened()).toBeLessThanOrEqual(2);
    await module.close();
    await until(() => failing.closed() === failing.opened());

    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'answer', status: 204, body: '' });
    const empty = { responsePayload: 'us-dl', flags: [], overrideFields: {} } as const;
    await firstValueFrom(services.transactions.override(created, { ...empty, flags: [] }));
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toEqual({
      response_payload: 'us-dl',
      flags: [],
      override_fields: {},
    });
  },

  async 'php.4'() {
    const body = sampleWebhookBody({ customerUid: 'ada' });
    const now = String(Math.floor(Date.now() / 1000));
    const withHex = (hex: string) => ({ ...signed(body, now), header: `v0,${now},${hex}` });
    // As numbers, all of them are zero.
    const zero = `0e${'1'.repeat(62)}`;
    const others = [`0e${'2'.repeat(62)}`, '0'.repeat(64)];
    const verdicts = await verifyWithDigest(zero, [zero, ...others].map(withHex), [SECRET]);
    expect(verdicts.map(({ end }) => end)).toEqual(['ada', REFUSED, REFUSED]);
  },

  async 'php.5'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'answer', body: metadataOf(created) });
    const change = { action: 'accept', note: 'by hand' };
    const updated = await firstValueFrom(services.transactions.update(created, change));
    expect(updated).toBeInstanceOf(TransactionDto);
    expect(updated).toMatchObject({ id: created.transactionId, action: 'accept' });
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toEqual(change);
  },
};
