import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BerbixVerificationService } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { countLookup, openMeter } from '../../lib/telemetry/index.js';
import { ALL, setting } from '../http/support/calls.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

/** What is wrong with the SDK, or with what the application has added to it. */
let fault: 'start' | 'end' | 'links' | undefined;

/** The names of the spans that have begun. */
const begun: (string | undefined)[] = [];

// The package has one tracer for the whole process, so all tests in it share this file.
const faulty: SpanProcessor = {
  onStart(span) {
    begun.push((span as { name?: string }).name);
    if (fault === 'start') throw new Error('The processor failed.');
    // As in an SDK that is older than version 1.9 of the API.
    if (fault === 'links') Object.assign(span, { addLink: undefined });
  },
  onEnd() {
    if (fault === 'end') throw new Error('The processor failed.');
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [faulty] }));
});
afterAll(() => {
  fault = undefined;
  context.disable();
  trace.disable();
});

describe('an SDK that fails', () => {
  it.each(['start', 'end', 'links'] as const)('fails no call (%s)', async (kind) => {
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
  });

  it('fails nobody who counts', () => {
    const add = (): never => {
      throw new Error('The view failed.');
    };
    const meter = { createCounter: () => ({ add }), createHistogram: () => ({ record: add }) };
    metrics.setGlobalMeterProvider({ getMeter: () => meter as never });
    try {
      openMeter();
      expect(() => countLookup('default', 'memory')).not.toThrow();
    } finally {
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
