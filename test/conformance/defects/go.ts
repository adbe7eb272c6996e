import { expect } from '@jest/globals';
import { BerbixModule } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startModule,
  startSandbox,
  startServices,
} from '../../support/services.js';
import { until } from '../../support/until.js';
import { startServer } from '../support/plain-server.js';
import type { Proofs } from '../sdk-defects.js';
import {
  REFUSED,
  SECRET,
  signed,
  startVerifiers,
  timestampOf,
} from '../support/webhook-verifiers.js';

/** The body of the latest request. */
function lastBody(sandbox: BerbixSandbox): unknown {
  return JSON.parse(sandbox.requests.last?.body ?? '');
}

export const go: Proofs<'go.'> = {
  async 'go.1'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const creation = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    for (const status of [401, 410, 500]) {
      sandbox.faults.add({ kind: 'status', status, path: '/v0/transactions', times: Infinity });
      expect((await errorOf(services.transactions.fetch(created))).status).toBe(status);
      expect((await errorOf(services.transactions.create(creation))).status).toBe(status);
      sandbox.faults.clear();
    }
    for (const body of ['{"id":', '', 'null', '[]', '{}']) {
      sandbox.faults.add({ kind: 'answer', body, times: 2 });
      expect((await errorOf(services.transactions.fetch(created))).code).toBe('BERBIX_RESPONSE');
      expect((await errorOf(services.transactions.create(creation))).code).toBe('BERBIX_RESPONSE');
    }
  },

  async 'go.2'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { refreshToken } = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    const first = await firstValueFrom(services.transactions.fetch(refreshToken));
    const second = await firstValueFrom(services.transactions.fetch(first.tokens));
    await firstValueFrom(services.transactions.delete(second.tokens));
    expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(1);
    expect(sandbox.requests.length).toBe(4);
  },

  async 'go.3'() {
    for (const nothing of [undefined, null, {}]) {
      await expect(startModule(BerbixModule.forRoot(nothing as never))).rejects.toMatchObject({
        code: 'BERBIX_CONFIGURATION',
        message: expect.stringContaining('apiSecret'),
      });
    }
    const silent = await startServer();
    const limited = await startServices({
      apiSecret: 'x',
      apiHost: silent.url,
      retry: 0,
      timeoutMs: 100,
    });
    expect((await errorOf(limited.tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');

    const patient = await startServices({ apiSecret: 'x', apiHost: silent.url });
    const before = silent.asked();
    const subscription = patient.tokens.refresh('rt_any').subscribe();
    await until(() => silent.asked() > before);
    subscription.unsubscribe();
    await until(() => silent.abandoned() === silent.asked());
  },

  async 'go.4'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { transactions } = services;
    const { sdk, hosted, apiOnly } = sandbox.templateKeys;
    const tokens = await createTransaction(sandbox, services);
    expect(lastBody(sandbox)).toEqual({ customer_uid: 'ada', template_key: sdk });
    await firstValueFrom(transactions.createHosted({ customerUid: 'ada', templateKey: hosted }));
    expect(lastBody(sandbox)).toEqual({
      customer_uid: 'ada',
      template_key: hosted,
      hosted_options: {},
    });

    await firstValueFrom(
      transactions.createApiOnly({
        customerUid: 'ada',
        templateKey: apiOnly,
        idCountry: 'US',
        idType: 'DL',
        consentsToAutomatedFacialRecognition: true,
        matchData: { givenName: 'Ada', dateOfBirth: '1815-12-10' },
      }),
    );
    expect(lastBody(sandbox)).toEqual({
      customer_uid: 'ada',
      template_key: apiOnly,
      api_only_options: { id_country: 'US', id_type: 'DL' },
      consents_to_automated_facial_recognition: true,
      match_data: { given_name: 'Ada', date_of_birth: '1815-12-10' },
    });

    // It also reports test mode and the time of completion.
    const id = Number(tokens.transactionId);
    const completed = { id, customer_uid: 'ada', completed_at: '2026-01-02T03:04:05Z' };
    sandbox.faults.add({ kind: 'answer', body: completed });
    const { completedAt } = await firstValueFrom(transactions.fetch(tokens));
    expect(completedAt).toEqual(new Date('2026-01-02T03:04:05Z'));
  },

  async 'go.5'() {
    const { theirs, ours } = await startVerifiers();
    const body = sampleWebhookBody({ customerUid: 'ada' });
    const recorded = signed(body, '1614990826');
    expect([theirs(recorded), await ours(recorded)]).toEqual([false, REFUSED]);
    // A recorded webhook is verified at its time,
    const atItsTime = new Date(timestampOf(recorded) * 1000);
    expect(await ours(recorded, atItsTime)).toBe('ada');
    expect(await ours({ ...recorded, body: `${body} ` }, atItsTime)).toBe(REFUSED);
    // and a test signs its own webhook with the current time.
    const today = { body, header: signBerbixWebhook({ secret: SECRET, body }) };
    expect([theirs(today), await ours(today)]).toEqual([true, 'ada']);
  },
};
