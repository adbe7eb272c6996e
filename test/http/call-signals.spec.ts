import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { isBerbixError } from 'nestjs-berbix';
import { catchError, firstValueFrom, of } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';
import { until } from '../support/until.js';
import { ALL, SENDING, TOKENS, UNSHARED, setting } from './support/calls.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('the signal of a call', () => {
  it.each(ALL)('that is aborted already sends nothing: %s', async (_name, method) => {
    const world = await setting();
    const signal = AbortSignal.abort();
    const error = await errorOf(method(world, { signal }));
    expect(error).toMatchObject({
      name: 'BerbixAbortedError',
      code: 'BERBIX_ABORTED',
      retryable: false,
    });
    expect(world.requests).toHaveLength(0);
    expect(listeners(signal)).toBe(0);
  });

  it.each(SENDING)('ends it at once, in the context of the caller: %s', async (_name, method) => {
    const world = await setting();
    const controller = new AbortController();
    const context = new AsyncLocalStorage<string>();
    const seen = context.run('caller', () =>
      firstValueFrom(
        method(world, { signal: controller.signal }).pipe(
          catchError((error: unknown) =>
            of([isBerbixError(error) && error.code, context.getStore()]),
          ),
        ),
      ),
    );
    await world.arrived(1);
    expect(listeners(controller.signal)).toBe(1);
    context.run('aborter', () => controller.abort());
    expect(await seen).toEqual(['BERBIX_ABORTED', 'caller']);
    expect(listeners(controller.signal)).toBe(0);
  });

  it.each(Object.entries(UNSHARED))(
    'closes its connection, as unsubscribing: %s',
    async (_, method) => {
      const world = await setting();
      const controller = new AbortController();
      const failed = errorOf(method(world, { signal: controller.signal }));
      await world.arrived(1);
      expect(world.closed).toBe(0);
      controller.abort();
      await failed;
      await until(() => world.closed === 1);
    },
  );

  it('is left without listeners by calls that succeed, fail, are abandoned, or take too long', async () => {
    const world = await setting();
    const { signal } = new AbortController();
    for (let sent = 0; sent < 150; sent += 3) {
      const done = firstValueFrom(world.tokens.refresh('rt_bare', { signal }));
      await world.arrived(sent + 1);
      world.answer(sent);
      await done;
      const failed = errorOf(world.transactions.fetch(TOKENS, { signal }));
      await world.arrived(sent + 2);
      world.requests[sent + 1]?.writeHead(500).end();
      expect((await failed).code).toBe('BERBIX_SERVER');
      const abandoned = world.transactions.fetch(TOKENS, { signal }).subscribe();
      await world.arrived(sent + 3);
      abandoned.unsubscribe();
      await firstValueFrom(world.tokens.fresh({ customerUid: 'ada' }, { signal }));
      expect(listeners(signal)).toBe(0);
    }
    const late = Array.from({ length: 50 }, () =>
      errorOf(world.transactions.fetch(TOKENS, { signal, timeoutMs: 50 })),
    );
    expect(listeners(signal)).toBe(1);
    for (const error of await Promise.all(late)) expect(error.code).toBe('BERBIX_TIMEOUT');
    expect(listeners(signal)).toBe(0);
  });

  it('may be that of many calls at a time, of which some have ended: it has one listener, and ends all others', async () => {
    const world = await setting();
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 20 }, () =>
      errorOf(world.transactions.fetch(TOKENS, { signal })),
    );
    const abandoned = world.transactions.fetch(TOKENS, { signal }).subscribe();
    await world.arrived(21);
    abandoned.unsubscribe();
    expect(listeners(signal)).toBe(1);
    controller.abort();
    for (const error of await Promise.all(calls)) expect(error.code).toBe('BERBIX_ABORTED');
    expect(listeners(signal)).toBe(0);
  });

  it('ends the wait for an exchange after a refused access token', async () => {
    const world = await setting();
    const controller = new AbortController();
    const { signal } = controller;
    const failed = errorOf(world.transactions.fetch({ customerUid: 'ada' }, { signal }));
    await world.arrived(1);
    world.requests[0]?.writeHead(401).end();
    await world.arrived(2);
    controller.abort();
    expect((await failed).code).toBe('BERBIX_ABORTED');
  });

  it('leaves a shared exchange to the others', async () => {
    const world = await setting();
    const controller = new AbortController();
    const [first, second] = [
      errorOf(world.tokens.refresh('rt_bare', { signal: controller.signal })),
      firstValueFrom(world.tokens.refresh('rt_bare')),
    ];
    await world.arrived(1);
    controller.abort();
    expect((await first).code).toBe('BERBIX_ABORTED');
    world.answer(0);
    expect((await second).accessToken).toBe('a');
    expect(world.requests).toHaveLength(1);
  });

  it('counts once if the caller unsubscribes as well', async () => {
    const world = await setting();
    const controller = new AbortController();
    const first = world.tokens.refresh('rt_bare', { signal: controller.signal }).subscribe();
    const second = firstValueFrom(world.tokens.refresh('rt_bare'));
    await world.arrived(1);
    controller.abort();
    first.unsubscribe();
    world.answer(0);
    expect((await second).accessToken).toBe('a');
  });

  it('does not lose a transaction that is being created for a customer', async () => {
    const world = await setting();
    const controller = new AbortController();
    const { signal } = controller;
    const failed = errorOf(world.verifications.reverify('bob', { templateKey: 't' }, { signal }));
    await world.arrived(1);
    controller.abort();
    await failed;
    world.rotate('rt_bob');
    world.answer(0);
    const history = (): Promise<string[]> => firstValueFrom(world.verifications.history('bob'));
    await until(async () => (await history()).includes('5'));
    expect(world.requests).toHaveLength(1);
  });

  it('leaves a replaced refresh token in the error', async () => {
    for (const stop of ['abort', 'time'] as const) {
      const world = await setting();
      world.rotate('rt_new');
      const controller = new AbortController();
      const failed = errorOf(
        world.transactions.fetch('rt_bare', {
          signal: controller.signal,
          ...(stop === 'time' && { timeoutMs: 3_000 }),
        }),
      );
      await world.arrived(1);
      world.answer(0);
      await world.arrived(2);
      if (stop === 'abort') controller.abort();
      expect((await failed).tokens?.refreshToken).toBe('rt_new');
    }
  });

  it('is not quoted: its reason may be a secret', async () => {
    const world = await setting();
    const reasons = [
      new Error('CANARY'),
      'CANARY',
      { token: 'CANARY' },
      new Proxy(
        {},
        {
          get() {
            throw new Error('CANARY');
          },
        },
      ),
    ];
    for (const reason of reasons) {
      const error = await errorOf(
        world.tokens.refresh('rt', { signal: AbortSignal.abort(reason) }),
      );
      expect(error.code).toBe('BERBIX_ABORTED');
      expect(await everyViewOf(error)).not.toContain('CANARY');
    }
    const timedOut = AbortSignal.abort(new DOMException('', 'TimeoutError'));
    const { message } = await errorOf(world.tokens.refresh('rt', { signal: timedOut }));
    expect(message).toContain('(TimeoutError)');
  });
});
