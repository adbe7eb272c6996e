import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { allKeys } from '../token-store/support/steps.js';
import { replica } from './support/verification.js';

describe('a shutdown while a verification begins', () => {
  it('waits until its tokens are saved', async () => {
    const memory = new InMemoryTokenStore();
    let [isSaving, mayGoOn, isClosed] = [false, false, false];
    const store = changed(memory, {
      commit: async (...step) => {
        isSaving = true;
        await until(() => mayGoOn);
        // Like the connections of an application that has ended.
        if (isClosed) throw new TypeError('The pool is closed.');
        return memory.commit(...step);
      },
    });
    const sandbox = await startSandbox();
    const { module, verifications } = await replica(sandbox, { store });
    const options = { templateKey: sandbox.templateKeys.sdk };
    const begun = firstValueFrom(verifications.begin('ada', options));
    await until(() => isSaving);
    const closing = module.close().then(() => (isClosed = true));
    // A shutdown that does not wait is over by then.
    await setTimeout(100);
    mayGoOn = true;
    await closing;
    expect(await allKeys(memory)).toHaveLength(2);
    expect((await begun).isResumed).toBe(false);
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
