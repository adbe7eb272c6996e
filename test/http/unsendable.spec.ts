import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';

describe('a request that cannot be sent', () => {
  it.each(['a\r\nx: y', 'tökén', 'a b', '', '\u4e00'])(
    'an access token that no header can carry (%j) is replaced by an exchange, and the circuit stays closed',
    async (accessToken) => {
      const sandbox = await startSandbox();
      const services = await servicesFor(sandbox, { retry: 2 });
      const created = await createTransaction(sandbox, services);
      const { refreshToken } = created;
      const expiresAt = new Date(Date.now() + 3_600_000);
      const tokens = new BerbixTokens({ refreshToken, accessToken, expiresAt });
      sandbox.requests.clear();
      // An exchange replaces it, like a token that the API does not accept.
      for (let call = 0; call < 12; call++) {
        await firstValueFrom(services.transactions.fetch(tokens));
      }
      expect(sandbox.requests.to('GET', '/v0/transactions').length).toBe(12);
    },
  );

  it('an invalid header of an interceptor is named', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, {
      http: {
        configureAxios: ({ interceptors }) =>
          interceptors.request.use((config) => {
            config.headers.set('transfer-encoding', 'chunked');
            return config;
          }),
      },
    });
    for (let call = 0; call < 12; call++) {
      const error = await errorOf(tokens.refresh('rt_any'));
      expect(error).toMatchObject({ code: 'BERBIX_CONFIGURATION', retryable: false });
      expect(error.message).toContain('check what they add');
    }
    expect(sandbox.requests.length).toBe(0);
  });

  it('a dispatcher of undici 6 is named', async () => {
    // What DispatcherBase of undici 6 does with a handler that has none of its methods.
    const dispatch = (): never => {
      throw Object.assign(new Error('invalid onError method'), { code: 'UND_ERR_INVALID_ARG' });
    };
    const { tokens } = await startServices({
      apiSecret: 's',
      apiHost: 'http://127.0.0.1:9',
      http: { dispatcher: { dispatch } },
    });
    const error = await errorOf(tokens.refresh('rt_any'));
    expect(error).toMatchObject({ code: 'BERBIX_CONFIGURATION', retryable: false });
    expect(error.message).toMatch(/http\.dispatcher, .*undici 7 or later/);
  });
});
