import { expect } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../../support/services.js';
import { TOKEN_ANSWER, startServer } from '../plain-server.support.js';
import type { Proofs } from '../section-8.js';

export const python: Proofs<'python.'> = {
  async 'python.1'() {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    for (const body of [{ code: 403, message: 'no' }, { status: null }, {}, '<p>no', '']) {
      sandbox.faults.add({ kind: 'answer', status: 403, body });
      expect((await errorOf(tokens.refresh('rt_any'))).status).toBe(403);
    }
  },

  async 'python.2'() {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    sandbox.faults.add({ kind: 'html', status: 503 });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
      code: 'BERBIX_SERVER',
      status: 503,
      retryable: true,
    });

    const silent = await startServer();
    const limited = await startServices({
      apiSecret: 'x',
      apiHost: silent.url,
      retry: 0,
      timeoutMs: 100,
    });
    expect((await errorOf(limited.tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');

    const server = await startServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(TOKEN_ANSWER));
    });
    const many = await startServices({ apiSecret: 'x', apiHost: server.url });
    for (let call = 0; call < 20; call++) await firstValueFrom(many.tokens.refresh('rt_any'));
    // A second one may be opened while the first is being put back.
    expect(server.opened()).toBeLessThanOrEqual(2);
  },

  async 'python.3'() {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    const good = { customerUid: 'ada', templateKey: sandbox.templateKeys.hosted };
    for (const [given, name] of [
      [{ ...good, customerUid: 17 }, 'customerUid'],
      [{ ...good, customer_uid: 'ada' }, 'customer_uid'],
      [{ ...good, hostedOptions: {} }, 'hostedOptions'],
      [{ ...good, redirectUrl: 'not a url' }, 'redirectUrl'],
      [{ customerUid: 'ada' }, 'templateKey'],
    ] as const) {
      expect(await errorOf(transactions.createHosted(given as never))).toMatchObject({
        code: 'BERBIX_INPUT',
        message: expect.stringContaining(name),
      });
    }
    expect(sandbox.requests.length).toBe(0);
  },

  async 'python.5'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const path = '/v0/transactions/override';
    sandbox.faults.add({ kind: 'answer', status: 204, body: '', path });
    const result = services.transactions.override(created, { responsePayload: 'us-dl' });
    // Enough to fetch what came of it.
    const tokens = await firstValueFrom(result);
    expect(tokens).toBeInstanceOf(BerbixTokens);
    expect((await firstValueFrom(services.transactions.fetch(tokens))).customerUid).toBe('ada');
  },
};
