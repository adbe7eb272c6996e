import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  BerbixConfigurationError,
  BerbixVerificationService,
  InMemoryTokenStore,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { changeEnvironment } from '../support/environment.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

afterEach(changeEnvironment({}));

const ADA = { customerUid: 'ada' };

/** An application that was started with this NODE_ENV, and a transaction in its sandbox. */
async function startIn(nodeEnv: string | undefined, options: Partial<BerbixModuleOptions> = {}) {
  changeEnvironment({ NODE_ENV: nodeEnv });
  const sandbox = await startSandbox();
  const services = await servicesFor(sandbox, options);
  const verifications = services.module.get(BerbixVerificationService);
  const given = await createTransaction(sandbox, services);
  const { sdk: templateKey } = sandbox.templateKeys;
  return {
    ...services,
    sandbox,
    given,
    remember: () => firstValueFrom(services.tokens.remember({ ...ADA, tokens: given })),
    begin: () => firstValueFrom(verifications.begin('grace', { templateKey })),
    reverify: () => firstValueFrom(verifications.reverify('grace', { templateKey })),
  };
}

describe('in production, with the store in memory', () => {
  it.each(['remember', 'begin', 'reverify'] as const)(
    '%s() fails before anything is sent, and says what to do',
    async (method) => {
      const started = await startIn('production');
      const sent = [...started.sandbox.requests].length;
      const error = await errorOf(started[method](), BerbixConfigurationError);
      expect(error).toMatchObject({ code: 'BERBIX_CONFIGURATION', retryable: false });
      expect(error.message).toBe(
        'In production (NODE_ENV), tokens are not saved in the memory of this process: the next restart would lose them, and with them the verifications of your customers. Set the option store, such as new PostgresTokenStore(pool); or set allowInMemoryStore: true, if they may be lost.',
      );
      expect([...started.sandbox.requests]).toHaveLength(sent);
    },
  );

  it('the application starts, and says so', async () => {
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
    try {
      const { module } = await startIn('production');
      await module.init();
      expect(log).toHaveBeenCalledWith(
        expect.stringMatching(/In production \(NODE_ENV\), remember\(\) and begin\(\) .* fail/),
      );
    } finally {
      log.mockRestore();
    }
  });

  it('refresh tokens of the own table are exchanged as ever', async () => {
    const { tokens, given } = await startIn('production');
    const refreshed = await firstValueFrom(tokens.refresh(given.refreshToken));
    expect(await firstValueFrom(tokens.fresh(refreshed))).toBe(refreshed);
    expect((await firstValueFrom(tokens.refresh(given))).transactionId).toBe(given.transactionId);
  });

  it('loadTokens loads them', async () => {
    let refreshToken = '';
    const { tokens, given } = await startIn('production', { loadTokens: async () => refreshToken });
    ({ refreshToken } = given);
    expect((await firstValueFrom(tokens.fresh(ADA))).refreshToken).toBe(refreshToken);
    await firstValueFrom(tokens.forget(ADA));
  });

  it('the fake of nestjs-berbix/testing stores them', async () => {
    changeEnvironment({ NODE_ENV: 'production' });
    const { verifications } = new FakeBerbix();
    const start = await firstValueFrom(verifications.begin('ada', { templateKey: 'tmpl_test' }));
    expect(start.clientToken).toBeTruthy();
  });
});

describe('tokens are saved', () => {
  it.each<[string, string | undefined, Partial<BerbixModuleOptions>]>([
    ['without NODE_ENV', undefined, {}],
    ['in development', 'development', {}],
    ['in production, with allowInMemoryStore', 'production', { allowInMemoryStore: true }],
    [
      'in production, in a shared store',
      'production',
      { store: changed(new InMemoryTokenStore(), { shared: true }) },
    ],
    [
      'in production, in a durable store',
      'production',
      { store: changed(new InMemoryTokenStore(), { durable: true }) },
    ],
  ])('%s', async (_when, nodeEnv, options) => {
    const { remember, begin, reverify, tokens, given } = await startIn(nodeEnv, options);
    await remember();
    expect((await firstValueFrom(tokens.fresh(ADA))).refreshToken).toBe(given.refreshToken);
    expect((await begin()).isResumed).toBe(false);
    expect((await reverify()).isResumed).toBe(false);
  });
});
