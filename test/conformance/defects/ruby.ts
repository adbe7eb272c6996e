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
import { watchTimers } from '../support/timers.js';

export const ruby: Proofs<'ruby.'> = {
  async 'ruby.1'() {
    const server = await startServer(({ headers }, response) => {
      const isFirst = headers.authorization === `Basic ${btoa('first:')}`;
      response.statusCode = isFirst ? 422 : 200;
      const refusal = { code: 422, readable: 'too_odd', message: 'Too odd' };
      response.setHeader('content-type', 'application/json');
      response.setHeader('x-request-id', 'req_1');
      response.end(JSON.stringify(isFirst ? refusal : TOKEN_ANSWER));
    });
    let secret = 'first';
    const timers = watchTimers();
    const { tokens } = await startServices({
      apiSecret: () => secret,
      apiHost: server.url,
      timeoutMs: 54_321,
      totalTimeoutMs: 65_432,
    });
    const error = await errorOf(tokens.refresh('rt_any'));
    expect(error).toMatchObject({ status: 422, readable: 'too_odd', requestId: 'req_1' });
    expect(error.message).toContain('Too odd');
    expect(timers.set()).toEqual(expect.arrayContaining([54_321, 65_432]));

    secret = 'second';
    for (let call = 0; call < 20; call++) await firstValueFrom(tokens.refresh('rt_any'));
    expect(server.opened()).toBeLessThanOrEqual(2);
  },

  async 'ruby.2'() {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    const { sdk, hosted, apiOnly } = sandbox.templateKeys;
    const customerUid = 'ada';
    const matchData = Object.freeze({ givenName: 'Ada' });
    const options = [
      { customerUid, templateKey: sdk, matchData },
      { customerUid, templateKey: hosted, redirectUrl: 'http://localhost/done' },
      { customerUid, templateKey: apiOnly, idType: 'P' as const },
    ].map((given) => Object.freeze(given));
    const before = JSON.stringify(options);
    await firstValueFrom(transactions.create(options[0] as (typeof options)[0]));
    await firstValueFrom(transactions.createHosted(options[1] as (typeof options)[0]));
    await firstValueFrom(transactions.createApiOnly(options[2] as (typeof options)[0]));
    expect(JSON.stringify(options)).toBe(before);
  },

  async 'ruby.3'() {
    const sandbox = await startSandbox();
    const tokens = await createTransaction(sandbox, await servicesFor(sandbox));
    const properties = Object.entries(Object.getOwnPropertyDescriptors(BerbixTokens.prototype))
      .filter(([, { get }]) => get !== undefined)
      .map(([name]) => name as keyof BerbixTokens);
    expect(properties).toHaveLength(6);
    for (const property of properties) expect(tokens[property]).toBeTruthy();
  },
};
