import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { BerbixCallOptions, BerbixTokenRef } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom, map } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { ALL, SENDING, TOKENS, TRANSACTION, setting } from './support/calls.js';

describe('the timeoutMs of a call', () => {
  it.each(SENDING)('is its total time limit: %s', async (_name, method) => {
    const world = await setting();
    const error = await errorOf(method(world, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', retryable: true });
    expect(error.message).toMatch(/50 ms \(the limit of this call\)/);
    expect(world.requests.length).toBeLessThanOrEqual(1);
  });

  it('counts from the beginning of the exchange before the request', async () => {
    const world = await setting();
    const ended: string[] = [];
    const call = async (name: string, ref: BerbixTokenRef): Promise<void> => {
      const { code } = await errorOf(world.transactions.fetch(ref, { timeoutMs: 3_000 }));
      ended.push(`${name}: ${code}`);
    };
    const first = call('first', 'rt_bare');
    await world.arrived(1);
    await setTimeout(500);
    const second = call('second', TOKENS);
    await world.arrived(2);
    world.answer(0);
    await world.arrived(3);
    await Promise.all([first, second]);
    expect(ended).toEqual(['first: BERBIX_TIMEOUT', 'second: BERBIX_TIMEOUT']);
  });

  it('ends the wait for a shared exchange, not the exchange', async () => {
    const world = await setting();
    const patient = firstValueFrom(world.tokens.refresh('rt_bare'));
    await world.arrived(1);
    expect((await errorOf(world.tokens.refresh('rt_bare', { timeoutMs: 20 }))).code).toBe(
      'BERBIX_TIMEOUT',
    );
    world.answer(0);
    expect((await patient).accessToken).toBe('a');
    expect(world.requests).toHaveLength(1);
  });

  it('ends an exchange for which nobody else waits, and no later caller shares it', async () => {
    const world = await setting();
    const error = errorOf(world.tokens.refresh('rt_bare', { timeoutMs: 500 }));
    await world.arrived(1);
    expect((await error).code).toBe('BERBIX_TIMEOUT');
    const next = firstValueFrom(world.tokens.refresh('rt_bare'));
    await world.arrived(2);
    world.answer(1);
    expect((await next).accessToken).toBe('a');
    expect(world.closed).toBe(2);
  });

  it('serves usable tokens at its end if the exchange takes longer', async () => {
    const world = await setting();
    const old = sampleTokens({ expiresAt: new Date(Date.now() + 600_000) });
    await firstValueFrom(world.tokens.remember({ customerUid: 'old', tokens: old }));
    const options = { leewayMs: 1_800_000, timeoutMs: 1_000 };
    const served = firstValueFrom(world.tokens.fresh({ customerUid: 'old' }, options));
    await world.arrived(1);
    expect((await served).accessToken).toBe(old.accessToken);
  });

  it('may be longer than totalTimeoutMs for a request of its own, but not for an exchange', async () => {
    const options = { retry: 1, timeoutMs: 500, totalTimeoutMs: 500 };
    const world = await setting(options);
    const busy = (index: number): void =>
      void world.requests[index]?.writeHead(503, { 'retry-after': '1' }).end();
    const deleted = firstValueFrom(
      world.transactions.delete(TOKENS, { timeoutMs: 60_000 }).pipe(map(() => 'deleted')),
    );
    await world.arrived(1);
    busy(0);
    await world.arrived(2);
    world.requests[1]?.writeHead(204).end();
    expect(await deleted).toBe('deleted');

    const refreshed = errorOf(world.tokens.refresh('rt_bare', { timeoutMs: 60_000 }));
    await world.arrived(3);
    busy(2);
    expect(await refreshed).toMatchObject({ code: 'BERBIX_SERVER', retryAfterMs: 1_000 });
  });

  it('leaves each attempt its own limit', async () => {
    const sandbox = await startSandbox();
    const created = await createTransaction(sandbox, await servicesFor(sandbox));
    const { transactions } = await servicesFor(sandbox, { timeoutMs: 500, retry: 10 });
    sandbox.faults.add({ kind: 'hang' });
    const call = transactions.fetch(created, { timeoutMs: 60_000 });
    expect((await firstValueFrom(call)).id).toBe(created.transactionId);
  });

  it('says nothing about the health of the API', async () => {
    const world = await setting();
    const hurried = Array.from({ length: 20 }, (_, n) =>
      errorOf(
        world.transactions.create({ ...TRANSACTION, customerUid: `c${n}` }, { timeoutMs: 30 }),
      ),
    );
    for (const error of await Promise.all(hurried)) expect(error.code).toBe('BERBIX_TIMEOUT');
    const patient = firstValueFrom(world.tokens.refresh('rt_bare'));
    // Some of the others may arrive late.
    const exchange = (): number => world.requests.findIndex(({ req }) => req.url === '/v0/tokens');
    await until(() => exchange() >= 0);
    world.answer(exchange());
    expect((await patient).accessToken).toBe('a');
  });
});

describe('the options of a call', () => {
  const BAD: [string, unknown, RegExp][] = [
    ['null', null, /^The options of the call are \{ signal, timeoutMs \}\.$/],
    ['a number', 500, /^The options of the call are/],
    ['a misspelt name', { timeout: 500 }, /^The options of .* are \{ .*signal, timeoutMs \}\.$/],
    ['an object as signal', { signal: {} }, /^signal must be an AbortSignal\.$/],
    ...['aborted', 'addEventListener', 'removeEventListener'].map(
      (missing): [string, unknown, RegExp] => [
        `a signal without ${missing}`,
        {
          signal: {
            aborted: false,
            addEventListener: () => {},
            removeEventListener: () => {},
            [missing]: undefined,
          },
        },
        /^signal must be an AbortSignal\.$/,
      ],
    ),
    ['a controller as signal', { signal: new AbortController() }, /^signal must be an AbortSignal/],
    ...[0, -1, 1.5, Number.NaN, '500', 86_400_001, null].map(
      (timeoutMs): [string, unknown, RegExp] => [
        `${timeoutMs} as timeoutMs`,
        { timeoutMs },
        /^timeoutMs must be a whole number of milliseconds from 1 to 86400000\.$/,
      ],
    ),
  ];

  it.each(ALL)('are checked by %s', async (name, method) => {
    const world = await setting();
    for (const [what, call, message] of BAD) {
      // Here they are spread into other options.
      if (name === 'fresh' && (call === null || typeof call !== 'object')) continue;
      const error = await errorOf(method(world, call as BerbixCallOptions));
      expect([what, error.code]).toEqual([what, 'BERBIX_INPUT']);
      expect(error.message).toMatch(message);
    }
    expect(world.requests).toHaveLength(0);
  });

  it('may be empty, and the signal one of a polyfill', async () => {
    const world = await setting();
    const added: unknown[] = [];
    const signal = {
      aborted: false,
      addEventListener: (_type: string, listener: unknown) => added.push(listener),
      removeEventListener: (_type: string, listener: unknown) =>
        added.splice(added.indexOf(listener), 1),
    } as unknown as AbortSignal;
    for (const [index, call] of [
      {},
      { signal: undefined, timeoutMs: undefined },
      { signal },
    ].entries()) {
      const refreshed = firstValueFrom(world.tokens.refresh('rt_bare', call));
      await world.arrived(index + 1);
      expect(added).toHaveLength('signal' in call && call.signal ? 1 : 0);
      world.answer(index);
      await refreshed;
    }
    expect(added).toEqual([]);
  });
});
