import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { InMemoryTokenStore } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { quietNest } from '../support/quiet-nest.js';
import { listening, startServices } from '../support/services.js';
import { until } from '../support/until.js';

const image = { imageSubject: 'document_front', data: Buffer.from('image') } as const;

/** Timers that keep the process alive. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

describe('the shutdown of an application', () => {
  quietNest();

  // Each of these would take minutes, or until the end of its time, if it was waited for.
  it('ends what takes too long, tells its callers so, and leaves no timer behind', async () => {
    const paths: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        request.resume();
        paths.push(String(request.url));
        if (request.method === 'DELETE') {
          response.writeHead(503, { 'retry-after': '50' }).end();
        }
      }),
    );
    const store = new InMemoryTokenStore();
    let loads = 0;
    const before = timers();
    const { module, tokens, transactions } = await startServices({
      apiSecret: 's',
      apiHost: url,
      timeoutMs: 100_000,
      totalTimeoutMs: 100_000,
      store,
      loadTokens: () => {
        loads++;
        return new Promise(() => {});
      },
    });
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'rt_ada' }));
    await firstValueFrom(tokens.remember({ customerUid: 'bob', tokens: 'rt_bob' }));
    const [bob = ''] = (await store.keys('default/session/')).keys.toReversed();
    const record = await store.load(bob);
    if (record === undefined) throw new Error('there is no record to lease');
    await store.lease(bob, record, 1_000_000, '{}');

    const ends = [
      errorOf(transactions.uploadImages(sampleTokens(), [image])),
      errorOf(transactions.delete(sampleTokens())),
      errorOf(tokens.fresh({ customerUid: 'ada' })),
      errorOf(tokens.fresh({ customerUid: 'bob' })),
      errorOf(tokens.fresh({ customerUid: 'carl' })),
      errorOf(tokens.refresh('rt_dora')),
    ];
    await until(() => paths.length === 4 && loads === 1);
    await module.close();
    for (const error of await Promise.all(ends)) {
      expect(error.message).toMatch(/shuts down|shut down|503/);
    }
    await until(() => timers() <= before);
  });
});
