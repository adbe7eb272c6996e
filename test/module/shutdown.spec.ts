import { createServer, type ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import { BerbixVerificationService, InMemoryTokenStore } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { Agent } from 'undici';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import { quietNest } from '../support/quiet-nest.js';
import { closeAfterTest, listening, startServices } from '../support/services.js';
import { until } from '../support/until.js';

const image = { imageSubject: 'document_front', data: Buffer.from('image') } as const;

/** Records the timers that are set from now on; gives how many of them keep the process alive. */
function recordTimers(): () => number {
  const set: NodeJS.Timeout[] = [];
  const real = globalThis.setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((...args: [() => void, number]) => {
    const timer = real(...args);
    set.push(timer);
    return timer;
  }) as typeof globalThis.setTimeout);
  // No public property tells whether a timer is over.
  const isOver = (timer: object): unknown => Reflect.get(timer, '_destroyed');
  return () => set.filter((timer) => timer.hasRef() && !isOver(timer)).length;
}

/** What an interceptor does that looks at an answer step by step. */
async function afterSomeTurns<T>(answer: T): Promise<T> {
  for (let turn = 0; turn < 100; turn++) await undefined;
  return answer;
}

describe('the shutdown of an application', () => {
  quietNest();

  it('may happen twice', async () => {
    const { module, tokens } = await startServices({
      apiSecret: 's',
      apiHost: 'http://127.0.0.1:9',
    });
    await errorOf(tokens.refresh('rt_any'));
    await module.close();
    await expect(module.close()).resolves.toBeUndefined();
  });

  // Each of these would take minutes, or until the end of its time, if it was waited for.
  it('ends what takes too long, tells its callers so, and leaves no timer behind', async () => {
    const paths: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        request.resume();
        paths.push(String(request.url));
        if (request.method === 'DELETE') {
          response.writeHead(503, { 'retry-after': '80' }).end();
        }
      }),
    );
    const memory = new InMemoryTokenStore();
    let looks = 0;
    const store = changed(memory, {
      load: (key) => {
        looks++;
        return memory.load(key);
      },
    });
    let loads = 0;
    const timers = recordTimers();
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
    // The default of leaseMs here: a lease that is much longer would be ended.
    await store.lease(bob, record, 115_000, '{}');
    await store.lease('default/customer/eve', { version: 0, fence: 0 }, 115_000, '{}');
    const longer = sampleTokens({ refreshToken: 'rt_bob' });
    const verifications = module.get(BerbixVerificationService);

    const ends = [
      errorOf(transactions.uploadImages(sampleTokens(), [image])),
      errorOf(transactions.delete(sampleTokens())),
      errorOf(tokens.fresh({ customerUid: 'ada' })),
      errorOf(tokens.fresh({ customerUid: 'bob' })),
      errorOf(tokens.fresh({ customerUid: 'carl' })),
      errorOf(tokens.refresh('rt_dora')),
      errorOf(tokens.remember({ customerUid: 'bob', tokens: longer })),
      errorOf(verifications.reverify('eve', { templateKey: 'tmpl' })),
    ];
    await until(() => paths.length === 4 && loads === 1);
    await module.close();
    for (const error of await Promise.all(ends)) {
      expect(error.message).toMatch(/shutting down|shut down|503/);
    }
    await setImmediate();
    expect(timers()).toBe(0);
    // Nobody looks any more whether another replica is done.
    const last = looks;
    await setTimeout(500);
    expect(looks).toBe(last);
  });

  it.each([
    ['of its own', () => undefined],
    ["of the application's", () => new Agent()],
  ])('lets an answer under way come in, with a dispatcher %s', async (_, open) => {
    const dispatcher = open();
    if (dispatcher !== undefined) closeAfterTest(() => dispatcher.close());
    const responses: ServerResponse[] = [];
    const url = await listening(
      createServer((_request, response) => void responses.push(response)),
    );
    const { module, transactions } = await startServices({
      apiSecret: 's',
      apiHost: url,
      http: {
        dispatcher,
        configureAxios: ({ interceptors }) => void interceptors.response.use(afterSomeTurns),
      },
    });
    const underWay = firstValueFrom(transactions.delete(sampleTokens()));
    await until(() => responses.length === 1);
    const closing = module.close();
    // The hooks of the shutdown have nothing else to wait for.
    await setTimeout(50);
    // In a form that takes a moment to read.
    responses[0]?.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}'));
    expect(await underWay).toBeUndefined();
    await closing;
  });
});
