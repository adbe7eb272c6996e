import { afterAll, describe, expect, it } from '@jest/globals';
import { context, diag, metrics, trace } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  BerbixModule,
  BerbixVerificationService,
  BerbixWebhookService,
  OnBerbixWebhook,
} from 'nestjs-berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { Observable, firstValueFrom } from 'rxjs';
import { countLookup, openMeter, traced } from '../../lib/telemetry/index.js';
import { ALL, setting } from '../http/support/calls.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startModule, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';
import { traceTo } from './support/tracer.js';

quietNest();

/** What is wrong with the SDK, or with what the application has added to it. */
let fault: 'start' | 'end' | 'links' | undefined;

/** The names of the spans that have begun. */
const begun: (string | undefined)[] = [];

/** The spans that have ended. */
const ended: { name: string; attributes: object }[] = [];

// The package has one tracer for the whole process, so all tests in it share this file.
const faulty: SpanProcessor = {
  onStart(span) {
    begun.push((span as { name?: string }).name);
    if (fault === 'start') throw new Error('The processor failed.');
    // As in an SDK that is older than version 1.9 of the API.
    if (fault === 'links') Object.assign(span, { addLink: undefined });
  },
  onEnd({ name, attributes }) {
    ended.push({ name, attributes });
    if (fault === 'end') throw new Error('The processor failed.');
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};

traceTo(faulty);
afterAll(() => {
  fault = undefined;
});

/** The errors that OpenTelemetry reports, from now on. */
function diagnostics(): string[] {
  const errors: string[] = [];
  const ignore = (): void => {};
  const logger = { warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger({ ...logger, error: (line) => errors.push(line) });
  return errors;
}

describe('an SDK that fails', () => {
  it.each(['start', 'end', 'links'] as const)('fails no call (%s)', async (kind) => {
    const reported = diagnostics();
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const told: string[] = [];
    const services = await servicesFor(sandbox, {
      freshness: { rotation: 'strict' },
      onRotation: ({ tokens }) => void told.push(tokens.refreshToken),
    });
    const { module, tokens } = services;
    fault = kind;
    const created = await createTransaction(sandbox, services);
    const refreshed = await firstValueFrom(tokens.refresh(created.refreshToken));
    expect(told).toEqual([refreshed.refreshToken]);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: refreshed.refreshToken }));
    const fresh = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    expect(fresh.accessToken).toMatch(/^at_/);
    const options = { templateKey: sandbox.templateKeys.sdk };
    const verifications = module.get(BerbixVerificationService);
    const started = await firstValueFrom(verifications.begin('eve', options));
    expect(started.isResumed).toBe(false);
    diag.disable();
    // What is missing in an older SDK is no failure.
    const lines = kind === 'links' ? [] : ['nestjs-berbix: telemetry failed with Error.'];
    expect([...new Set(reported)]).toEqual(lines);
  });

  it('fails nobody who counts', () => {
    const add = (): never => {
      throw new Error('The view failed.');
    };
    const meter = { createCounter: () => ({ add }), createHistogram: () => ({ record: add }) };
    metrics.setGlobalMeterProvider({ getMeter: () => meter as never });
    const reported = diagnostics();
    try {
      openMeter();
      expect(() => countLookup('default', 'memory')).not.toThrow();
      expect(reported).toEqual(['nestjs-berbix: telemetry failed with Error.']);
    } finally {
      diag.disable();
      metrics.disable();
      openMeter();
    }
  });
});

describe('the span of a call', () => {
  it('has the name of the method', async () => {
    const world = await setting();
    const names: Record<string, string | undefined> = {};
    for (const [method, call] of ALL) {
      begun.length = 0;
      await errorOf(call(world, { signal: AbortSignal.abort() }));
      names[method] = begun[0];
    }
    expect(names).toEqual({
      create: 'berbix.transaction.create',
      createHosted: 'berbix.transaction.create_hosted',
      createApiOnly: 'berbix.transaction.create_api_only',
      fetch: 'berbix.transaction.fetch',
      update: 'berbix.transaction.update',
      override: 'berbix.transaction.override',
      delete: 'berbix.transaction.delete',
      uploadImages: 'berbix.transaction.upload_images',
      uploadIdScan: 'berbix.transaction.upload_id_scan',
      'refresh of a refresh token': 'berbix.tokens.refresh',
      'refresh of stored tokens': 'berbix.tokens.refresh',
      fresh: 'berbix.tokens.fresh',
      begin: 'berbix.verification.begin',
      reverify: 'berbix.verification.reverify',
      result: 'berbix.verification.result',
      erase: 'berbix.verification.erase',
      history: 'berbix.verification.history',
    });
  });
});

describe('what a call emits', () => {
  it('runs in the context of the subscriber, not in that of the span, whose end comes first', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const seen: [string, unknown, string[]][] = [];
    const see = (what: string) => () => {
      const span = trace.getSpan(context.active())?.spanContext();
      seen.push([what, span, ended.map(({ name }) => name)]);
    };
    const observer = { next: see('value'), error: see('error'), complete: see('end') };
    for (const fails of [false, true]) {
      if (fails) sandbox.faults.add({ kind: 'status', status: 403 });
      const { length } = seen;
      ended.length = 0;
      services.transactions.fetch(created).subscribe(observer);
      await until(() => seen.length === length + (fails ? 1 : 2));
    }
    expect(seen).toEqual([
      ['value', undefined, []],
      ['end', undefined, ['berbix.transaction.fetch']],
      ['error', undefined, ['berbix.transaction.fetch']],
    ]);
  });
});

describe('the span of an operation', () => {
  it('ends when its caller leaves', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'hang' });
    ended.length = 0;
    const call = services.transactions.fetch(created).subscribe();
    await until(() => sandbox.requests.last?.method === 'GET');
    call.unsubscribe();
    expect(ended).toEqual([{ name: 'berbix.transaction.fetch', attributes: {} }]);
  });

  it('does not keep its work from ending when its caller leaves', () => {
    const left: string[] = [];
    const work = new Observable(() => () => void left.push('work'));
    traced('work', work).subscribe().unsubscribe();
    expect(left).toEqual(['work']);
  });
});

describe('the span of a webhook', () => {
  it('has its kind, and the name of what a handler throws', async () => {
    class Handler {
      @OnBerbixWebhook('status')
      handle(): void {
        throw new RangeError('mine');
      }
    }
    const secret = 'whs_test_status';
    const module = await startModule({
      module: class Application {},
      imports: [BerbixModule.forRoot({ apiSecret: 'secret_test_x', webhooks: { status: secret } })],
      providers: [Handler],
    });
    await module.init();
    const webhooks = module.get(BerbixWebhookService);
    const rawBody = sampleWebhookBody();
    const header = signBerbixWebhook({ secret, body: rawBody });
    const webhook = await webhooks.verify({ kind: 'status', header, rawBody });
    ended.length = 0;
    await expect(webhooks.handle(webhook)).rejects.toThrow('mine');
    expect(ended).toEqual([
      {
        name: 'berbix.webhook.handle',
        attributes: { 'berbix.webhook.kind': 'status', 'error.type': 'RangeError' },
      },
    ]);
  });
});
