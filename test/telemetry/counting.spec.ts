import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemoryTokenStore } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { firstValueFrom } from 'rxjs';
import { EventBus } from '../../lib/events/index.js';
import { BerbixHttp } from '../../lib/http/index.js';
import { changed } from '../support/changed-store.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  installClock,
  servicesFor,
  startSandbox,
  type Services,
} from '../support/services.js';
import { until } from '../support/until.js';
import { quietNest } from '../support/sinks.js';

quietNest();

class TestReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

let reader: TestReader;
beforeAll(() => {
  reader = new TestReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
});
afterAll(() => metrics.disable());

/** How often a counter or histogram was called since the process began, or what a histogram adds up to. */
async function total(name: string, what: 'count' | 'sum' = 'count'): Promise<number> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics
    .flatMap((scope) => scope.metrics.filter(({ descriptor }) => descriptor.name === name))
    .flatMap(({ dataPoints }) =>
      dataPoints.map(({ value }) => value as number | Record<typeof what, number>),
    )
    .reduce<number>((sum, value) => sum + (typeof value === 'number' ? value : value[what]), 0);
}

/** The attributes and values of the series of a counter. */
async function seriesOf(name: string): Promise<unknown[][]> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics
    .flatMap((scope) => scope.metrics.filter(({ descriptor }) => descriptor.name === name))
    .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes, value]));
}

/** How many tokens callers got from this source. */
async function lookupsFrom(source: string): Promise<number> {
  const series = await seriesOf('berbix.token.lookups');
  const found = series.find(([attributes]) => Object(attributes)['berbix.token.source'] === source);
  return Number(found?.[1] ?? 0);
}

/** A store whose answers wait at a gate. */
class SlowStore extends InMemoryTokenStore {
  gate: Promise<void> | undefined;

  override async load(key: string): Promise<StoredRecord | undefined> {
    await this.gate;
    return super.load(key);
  }
}

class ReadOnlyStore extends InMemoryTokenStore {
  isReadOnly = false;

  override commit(...args: [string, number, string]): Promise<number | undefined> {
    return this.isReadOnly ? Promise.reject(new Error('read-only')) : super.commit(...args);
  }
}

/** A store in which another replica has the lease of the tokens at the next reads. */
class LeasedStore extends InMemoryTokenStore {
  leasedReads = 0;

  constructor(private readonly onLeasedRead = (): void => {}) {
    super();
  }

  override async load(key: string): Promise<StoredRecord | undefined> {
    const record = await super.load(key);
    if (this.leasedReads === 0 || !key.includes('/anonymous/') || record === undefined)
      return record;
    this.leasedReads--;
    this.onLeasedRead();
    return { ...record, leasedForMs: 1 };
  }
}

let sandbox: BerbixSandbox;
let services: Services;
beforeEach(async () => {
  sandbox = await startSandbox();
  services = await servicesFor(sandbox);
  const { refreshToken } = await createTransaction(sandbox, services);
  await services.module.init();
  await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
  sandbox.faults.add({ kind: 'latency', ms: 200, path: '/v0/tokens' });
});

const exchanges = (): Promise<number> => total('berbix.token.exchange.duration');

describe('metrics', () => {
  it('begin at 0 with what alerts ask for the increase of', async () => {
    const account = { 'berbix.account': 'default' };
    for (const name of ['berbix.token.dead', 'berbix.token.unsaved']) {
      expect(await seriesOf(name)).toEqual([[account, 0]]);
    }
    const kinds = ['finished', 'status'].map((kind) => ({
      ...account,
      'berbix.webhook.kind': kind,
    }));
    expect(await seriesOf('berbix.webhook.deliveries')).toEqual(
      kinds.flatMap((kind) =>
        ['handled', 'failed', 'repeated'].map((outcome) => [
          { ...kind, 'berbix.webhook.outcome': outcome },
          0,
        ]),
      ),
    );
    const codes = ['BERBIX_WEBHOOK_SIGNATURE', 'BERBIX_WEBHOOK_BODY', 'BERBIX_CONFIGURATION'];
    expect(await seriesOf('berbix.webhook.rejections')).toEqual(
      kinds.flatMap((kind) => codes.map((code) => [{ ...kind, 'error.type': code }, 0])),
    );
  });

  it('count each webhook by its outcome, and each refusal by its code', async () => {
    const account = { 'berbix.account': 'default' };
    const status = { ...account, 'berbix.webhook.kind': 'status' };
    const bus = services.module.get(EventBus);
    const about = { webhook: 'status', transactionId: '1' } as const;
    const outcomes = ['handled', 'failed', 'repeated'] as const;
    for (const outcome of outcomes) bus.emit(`webhook.${outcome}`, () => about);
    const code = 'BERBIX_WEBHOOK_BODY';
    bus.emit('webhook.rejected', () => ({ webhook: 'status', code, retryable: false }));
    await setImmediate();
    const deliveries = await seriesOf('berbix.webhook.deliveries');
    expect(deliveries.filter(([, count]) => count !== 0)).toEqual(
      outcomes.map((outcome) => [{ ...status, 'berbix.webhook.outcome': outcome }, 1]),
    );
    const rejections = await seriesOf('berbix.webhook.rejections');
    expect(rejections.filter(([, count]) => count !== 0)).toEqual([
      [{ ...status, 'error.type': code }, 1],
    ]);
  });

  it('count an exchange that ends during the shutdown', async () => {
    const before = await exchanges();
    const tokens = firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
    await until(() => sandbox.requests.to('POST', '/v0/tokens').length === 1);
    await services.module.close();
    await tokens;
    expect(await exchanges()).toBe(before + 1);
  });

  it('measure an exchange in seconds', async () => {
    const name = 'berbix.token.exchange.duration';
    const before = await total(name, 'sum');
    services.module
      .get(EventBus)
      .emit('token.exchanged', () => ({ transactionId: '1', reason: 'forced', durationMs: 1_500 }));
    // Listeners are told in the next turn of the event loop.
    await setImmediate();
    expect((await total(name, 'sum')) - before).toBeCloseTo(1.5);
  });

  it('show uploads that wait for their turn among the calls that wait', async () => {
    const uploader = await servicesFor(sandbox, { http: { connections: 4 } });
    await uploader.module.init();
    const path = '/v0/images/upload';
    const { tokens } = await firstValueFrom(
      uploader.transactions.createApiOnly({
        customerUid: 'ada',
        templateKey: sandbox.templateKeys.apiOnly,
      }),
    );
    sandbox.faults.add({ kind: 'hang', method: 'POST', path });
    const image = { imageSubject: 'document_front', data: Buffer.from('x') } as const;
    const calls = Array.from({ length: 3 }, () =>
      uploader.transactions.uploadImages(tokens, [image]).subscribe({ error: () => {} }),
    );
    await until(() => sandbox.requests.to('POST', path).length === 1);
    expect(await total('berbix.client.queue.length')).toBe(2);
    for (const call of calls) call.unsubscribe();
  });

  it('measure a wait for the lease of another replica that ends in vain', async () => {
    const store = new LeasedStore();
    store.leasedReads = Infinity;
    const waiting = await servicesFor(sandbox, { store, totalTimeoutMs: 50 });
    const { refreshToken } = await createTransaction(sandbox, services);
    await firstValueFrom(waiting.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    const before = await total('berbix.token.lease.wait.duration');
    const { code } = await errorOf(waiting.tokens.fresh({ customerUid: 'ada' }));
    expect(code).toBe('BERBIX_TIMEOUT');
    await waiting.module.close();
    expect(await total('berbix.token.lease.wait.duration')).toBe(before + 1);
    const series = await seriesOf('berbix.token.lease.wait.duration');
    expect(series.map(([attributes]) => attributes)).toEqual([{ 'berbix.account': 'default' }]);
  });

  it('measure durations in buckets from a millisecond to the time limit of a call', async () => {
    await errorOf(services.tokens.refresh('rt_unknown'));
    await until(async () => (await exchanges()) > 0);
    const [, value] = (await seriesOf('berbix.token.exchange.duration'))[0] ?? [];
    const { boundaries } = (value as { buckets: { boundaries: number[] } }).buckets;
    expect([boundaries[0], boundaries.at(-1)]).toEqual([0.001, 15]);
  });

  it('count a new refresh token that the store does not take before the shutdown', async () => {
    const rotating = await startSandbox({ refreshToken: 'rotate' });
    const store = new ReadOnlyStore();
    const replica = await servicesFor(rotating, { store });
    await replica.module.init();
    const { refreshToken } = await createTransaction(rotating, replica);
    await firstValueFrom(replica.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    store.isReadOnly = true;
    const error = errorOf(replica.tokens.fresh({ customerUid: 'ada' }));
    await until(() => rotating.requests.to('POST', '/v0/tokens').length === 1);
    await replica.module.close();
    await error;
    expect(await total('berbix.token.unsaved')).toBe(1);
  });

  it('read no gauge of an application that has ended', async () => {
    const read = jest.spyOn(services.module.get(BerbixHttp), 'state', 'get');
    await reader.collect();
    expect(read).toHaveBeenCalled();
    await services.module.close();
    read.mockClear();
    await reader.collect();
    expect(read).not.toHaveBeenCalled();
  });

  it('count a wait for another replica once, whatever is done after it', async () => {
    const rotating = await startSandbox({ refreshToken: 'rotate' });
    const store = new LeasedStore();
    const replica = await servicesFor(rotating, {
      store,
      freshness: { rotation: 'strict' },
      onRotation: () => {},
    });
    const { refreshToken } = await createTransaction(rotating, replica);
    const { module, tokens } = replica;
    await module.init();
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    store.leasedReads = 1;
    const before = await total('berbix.token.lease.wait.duration');
    await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(await total('berbix.token.lease.wait.duration')).toBe(before + 1);
  });

  it('measure a wait for another replica from its beginning', async () => {
    const clock = installClock();
    const store = new LeasedStore(() => clock.advance(1_000));
    const replica = await servicesFor(sandbox, { store });
    const { refreshToken } = await createTransaction(sandbox, replica);
    await firstValueFrom(replica.tokens.remember({ customerUid: 'eve', tokens: refreshToken }));
    store.leasedReads = 2;
    const before = await total('berbix.token.lease.wait.duration', 'sum');
    await firstValueFrom(replica.tokens.fresh({ customerUid: 'eve' }));
    const seconds = (await total('berbix.token.lease.wait.duration', 'sum')) - before;
    expect(seconds).toBeGreaterThanOrEqual(1);
  });

  it('measure calls to the store in seconds, with the code of a failure', async () => {
    const clock = installClock();
    const store = changed(new InMemoryTokenStore(), {
      load: async () => {
        await setImmediate();
        clock.advance(1_000);
        throw new Error('down');
      },
    });
    const { tokens } = await servicesFor(sandbox, { store });
    const name = 'berbix.store.operation.duration';
    const before = await total(name, 'sum');
    await errorOf(tokens.fresh({ customerUid: 'eve' }));
    const seconds = (await total(name, 'sum')) - before;
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThan(100);
    const failed = { 'berbix.store.operation': 'load', 'error.type': 'BERBIX_STORE' };
    const series = (await seriesOf(name)).map(([attributes]) => attributes);
    expect(series).toContainEqual({ 'berbix.account': 'default', ...failed });
  });

  it('count a lookup once if the store answers after memory has', async () => {
    const clock = installClock();
    const store = new SlowStore();
    const { tokens } = await servicesFor(sandbox, { store });
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(tokens.remember({ customerUid: 'eve', tokens: created }));
    await firstValueFrom(tokens.fresh({ customerUid: 'eve' }));
    // Memory asks the store from time to time, but does not wait for it for long.
    clock.advance(31_000);
    const before = await total('berbix.token.lookups');
    let open: (() => void) | undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    await firstValueFrom(tokens.fresh({ customerUid: 'eve' }));
    open?.();
    clock.advance(6_000);
    // Asks the store again, together with the first caller or after them.
    await firstValueFrom(tokens.fresh({ customerUid: 'eve' }));
    expect(await total('berbix.token.lookups')).toBe(before + 2);
  });

  it('count tokens that are served since a renewal failed as a fallback', async () => {
    const clock = installClock();
    const { tokens } = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(tokens.remember({ customerUid: 'fay', tokens: created }));
    clock.advance(59.5 * 60_000);
    const before = await lookupsFrom('fallback');
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens' });
    expect(await firstValueFrom(tokens.fresh({ customerUid: 'fay' }))).toEqual(created);
    expect(await lookupsFrom('fallback')).toBe(before + 1);
  });

  it('count no lookup of a caller who did not wait for the tokens', async () => {
    const before = await total('berbix.token.lookups');
    const exchanged = await exchanges();
    await errorOf(services.tokens.fresh({ customerUid: 'ada' }, { timeoutMs: 20 }));
    await until(async () => (await exchanges()) > exchanged);
    // From memory, after everything that the exchange has led to.
    const fromMemory = await lookupsFrom('memory');
    await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
    expect(await total('berbix.token.lookups')).toBe(before + 1);
    expect(await lookupsFrom('memory')).toBe(fromMemory + 1);
  });
});
