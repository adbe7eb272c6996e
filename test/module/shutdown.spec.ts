import { createServer, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import { BerbixVerificationService, InMemoryTokenStore } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { Agent } from 'undici';
import { changed } from '../support/changed-store.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { quietNest } from '../support/sinks.js';
import {
  createTransaction,
  listening,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

const image = { imageSubject: 'document_front', data: Buffer.from('image') } as const;

const DISPATCHERS = [
  ['of its own', () => undefined],
  ["of the application's", () => new Agent()],
] as const;

type Timeout = Parameters<typeof globalThis.setTimeout>;

/**
 * Makes all timers run ten times as fast from now on, since the shutdown gives calls several seconds,
 * and records them; returns how many of them keep the process alive.
 */
function recordFastTimers(): () => number {
  const set: NodeJS.Timeout[] = [];
  const real = globalThis.setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((
    ...[callback, ms = 0, ...args]: Timeout
  ) => {
    const timer = real(callback, ms / 10, ...args);
    set.push(timer);
    return timer;
  }) as typeof globalThis.setTimeout);
  // No public property says whether a timer has ended.
  const isOver = (timer: object): unknown => Reflect.get(timer, '_destroyed');
  return () => set.filter((timer) => timer.hasRef() && !isOver(timer)).length;
}

/** Like an interceptor that reads an answer step by step. */
async function afterSomeTurns<T>(answer: T): Promise<T> {
  for (let turn = 0; turn < 100; turn++) await undefined;
  return answer;
}

describe('the shutdown of an application', () => {
  quietNest();

  it('can happen twice', async () => {
    const { module, tokens } = await startServices({
      apiSecret: 's',
      apiHost: 'http://127.0.0.1:9',
    });
    await errorOf(tokens.refresh('rt_any'));
    await module.close();
    await expect(module.close()).resolves.toBeUndefined();
  });

  // Each of these calls would take minutes, or its whole time limit, if the shutdown waited for it.
  it('ends calls that take too long with an error, and leaves no timer behind', async () => {
    const paths: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        request.resume();
        paths.push(String(request.url));
        if (request.method === 'DELETE') {
          response.writeHead(503, { 'retry-after': '800' }).end();
        }
      }),
    );
    const memory = new InMemoryTokenStore();
    let reads = 0;
    const store = changed(memory, {
      load: (key) => {
        reads++;
        return memory.load(key);
      },
    });
    const loading: ((nothing: undefined) => void)[] = [];
    const timers = recordFastTimers();
    const { module, tokens, transactions } = await startServices({
      apiSecret: 's',
      apiHost: url,
      timeoutMs: 1_000_000,
      totalTimeoutMs: 1_000_000,
      store,
      loadTokens: () => new Promise((resolve) => loading.push(resolve)),
    });
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'rt_ada' }));
    await firstValueFrom(tokens.remember({ customerUid: 'bob', tokens: 'rt_bob' }));
    const [bob = ''] = (await store.keys('default/anonymous/')).keys.toReversed();
    const record = await store.load(bob);
    if (record === undefined) throw new Error('there is no record to lease');
    // The default of leaseMs for this time limit: a much longer lease would be ended.
    await store.lease(bob, record, 1_015_000, '{}');
    await store.lease('default/customer/eve', { version: 0, leaseEpoch: 0 }, 1_015_000, '{}');
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
    await until(() => paths.length === 4 && loading.length === 1);
    await module.close();
    // Another process can answer: of all these calls, the caller hears the same.
    const errors = await Promise.all(ends);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'BERBIX_UNAVAILABLE', retryable: true });
      expect(error.message).toMatch(/^The application shut down before this call was done\./);
    }
    // The upload was sent, and the deletion refused.
    const outcomes = errors.map(({ message }) => message.endsWith('The API may have acted on it.'));
    expect(outcomes.slice(0, 2)).toEqual([true, false]);
    expect((await errorOf(tokens.refresh('rt_late'))).code).toBe('BERBIX_UNAVAILABLE');
    // Timers of calls that have just ended may have a moment left; leaked ones would run for minutes.
    const giveUpAt = performance.now() + 10_000;
    await until(() => timers() === 0 || performance.now() > giveUpAt);
    expect(timers()).toBe(0);
    // No call still waits for another replica.
    const last = reads;
    await setTimeout(500);
    expect(reads).toBe(last);
    // The module is closed once more after the test, and would wait for it.
    for (const end of loading) end(undefined);
  });

  it('begins no exchange between its hooks, and hands out valid tokens', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const { tokens } = services;
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    await tokens.beforeApplicationShutdown();
    const { accessToken } = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(accessToken).toBe(created.accessToken);
    for (const refreshed of [
      tokens.refresh(created),
      tokens.refresh(created.refreshToken),
      tokens.refresh(created.refreshToken, { timeoutMs: 60_000 }),
      tokens.fresh(created.refreshToken),
    ]) {
      expect(await errorOf(refreshed)).toMatchObject({ code: 'BERBIX_UNAVAILABLE' });
    }
    expect(sandbox.requests.to('POST', '/v0/tokens')).toEqual([]);
  });

  it.each(DISPATCHERS)('stops sending, with a dispatcher %s', async (_, open) => {
    const dispatcher = open();
    if (dispatcher !== undefined) closeAfterTest(() => dispatcher.close());
    const responses: ServerResponse[] = [];
    const url = await listening(
      createServer((_request, response) => void responses.push(response)),
    );
    const { module, tokens, transactions } = await startServices({
      apiSecret: 's',
      apiHost: url,
      http: { dispatcher },
    });
    const inFlight = firstValueFrom(transactions.delete(sampleTokens()));
    await until(() => responses.length === 1);
    const closing = module.close();
    await setTimeout(50);
    // The shutdown might cut it off after the API has replaced the refresh token.
    expect(await errorOf(tokens.refresh('rt_late'))).toMatchObject({
      code: 'BERBIX_UNAVAILABLE',
      message: 'The application shut down before this call was done.',
    });
    expect(responses).toHaveLength(1);
    responses[0]?.writeHead(200).end('{}');
    await inFlight;
    await closing;
  });

  it.each(DISPATCHERS)('waits for an answer in flight, with a dispatcher %s', async (_, open) => {
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
    const inFlight = firstValueFrom(transactions.delete(sampleTokens()));
    await until(() => responses.length === 1);
    const closing = module.close();
    // The shutdown hooks have nothing else to wait for.
    await setTimeout(50);
    // In an encoding that takes a moment to read.
    responses[0]?.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}'));
    expect(await inFlight).toBeUndefined();
    await closing;
  });
});
