import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import { creations, replica } from './support/verification.js';

describe('a shutdown while a verification begins', () => {
  quietNest();

  it.each(['lease', 'commit'] as const)('waits until its tokens are saved: %s', async (step) => {
    const memory = new InMemoryTokenStore();
    let [isWaiting, mayGoOn, isClosed] = [false, false, false];
    const checkOpen = (): void => {
      // Like the connections of an application that has ended.
      if (isClosed) throw new TypeError('The pool is closed.');
    };
    const wait = async (): Promise<void> => {
      isWaiting = true;
      await until(() => mayGoOn);
    };
    const store = changed(memory, {
      lease: async (...args) => {
        if (step === 'lease') await wait();
        checkOpen();
        return memory.lease(...args);
      },
      commit: async (...args) => {
        if (step === 'commit') await wait();
        checkOpen();
        return memory.commit(...args);
      },
    });
    const sandbox = await startSandbox();
    const { module, verifications } = await replica(sandbox, { store });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = firstValueFrom(verifications.begin('ada', options));
    await until(() => isWaiting);
    const closing = module.close().then(() => (isClosed = true));
    // A shutdown that does not wait is over by then.
    await setTimeout(100);
    mayGoOn = true;
    await closing;
    expect(await allKeys(memory)).toHaveLength(2);
    expect((await begun).isResumed).toBe(false);
  });

  it('creates no transaction after it', async () => {
    const store = Object.assign(new InMemoryTokenStore(), { shared: true });
    const sandbox = await startSandbox();
    const one = await replica(sandbox, { store });
    const options = { templateKey: sandbox.templateKeys.sdk };
    await one.verifications.beforeApplicationShutdown();
    const error = await errorOf(one.verifications.begin('ada', options));
    expect(error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', retryable: true });
    expect(creations(sandbox)).toBe(0);
    // It holds up no other replica.
    const two = await replica(sandbox, { store });
    expect((await firstValueFrom(two.verifications.begin('ada', options))).isResumed).toBe(false);
  });

  it('ends with an error that has the tokens, if the store takes none', async () => {
    const memory = new InMemoryTokenStore();
    let commits = 0;
    const store = changed(memory, {
      commit: () => {
        commits++;
        return Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
      },
    });
    const sandbox = await startSandbox();
    const { module, verifications } = await replica(sandbox, { store, totalTimeoutMs: 60_000 });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const events: string[] = [];
    const failed = errorOf(verifications.begin('ada', options)).then((error) => {
      events.push('failed');
      return error;
    });
    await until(() => commits > 0);
    await module.close();
    events.push('closed');
    expect((await failed).tokens?.refreshToken).toEqual(expect.any(String));
    expect(events).toEqual(['failed', 'closed']);
  });
});
