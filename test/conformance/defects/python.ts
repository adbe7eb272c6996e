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
import { TOKEN_ANSWER, startServer } from '../support/plain-server.js';
import type { Proofs } from '../sdk-defects.js';
import { REFUSED, startVerifiers } from '../support/webhook-verifiers.js';

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
    // A second one may be opened before the first is back in the pool.
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

  async 'python.4'() {
    const { send, ours, answers } = await startVerifiers();
    for (const customerUid of ['Zoë', '東京', '🪪 <&>', '\u2028']) {
      const delivery = await send(customerUid);
      expect(delivery.status).toBe(201);
      expect(await answers(delivery)).toEqual([201, 201]);
      expect(await ours(delivery)).toBe(customerUid);
    }
    const good = await send();
    for (const header of ['v0', 'v0,', 'v0,12', 'v0,x,y', ',,', '🪪,🪪,🪪']) {
      expect(await ours({ ...good, header })).toBe(REFUSED);
      // A header cannot have such characters.
      if (header.startsWith('🪪')) continue;
      expect(await answers({ ...good, header })).toEqual([401, 401]);
    }
  },

  async 'python.5'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const path = '/v0/transactions/override';
    sandbox.faults.add({ kind: 'answer', status: 204, body: '', path });
    const result = services.transactions.override(created, { responsePayload: 'us-dl' });
    // With them, the result can be fetched.
    const tokens = await firstValueFrom(result);
    expect(tokens).toBeInstanceOf(BerbixTokens);
    expect((await firstValueFrom(services.transactions.fetch(tokens))).customerUid).toBe('ada');
  },
};
