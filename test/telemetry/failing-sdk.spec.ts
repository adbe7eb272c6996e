import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BerbixVerificationService } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { countLookup, openMeter } from '../../lib/telemetry/index.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

/** What is wrong with the SDK, or with what the application has added to it. */
let fault: 'start' | 'end' | 'links' | undefined;

const faulty: SpanProcessor = {
  onStart(span) {
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
