import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ALL, setting } from '../http/support/calls.js';
import { errorOf } from '../support/errors.js';

/** The names of the spans that have begun. */
const begun: string[] = [];

const recording: SpanProcessor = {
  onStart: ({ name }) => void begun.push(name),
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
};

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [recording] }));
});
afterAll(() => {
  context.disable();
  trace.disable();
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
