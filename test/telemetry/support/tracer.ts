import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';

interface Shared {
  provider: BasicTracerProvider;
  processor: SpanProcessor | undefined;
}

const KEY = Symbol.for('nestjs-berbix:test-tracer');

/** The package keeps its first tracer, so all files in a process share one, in turn. */
function shared(): Shared {
  const holder = globalThis as { [KEY]?: Shared };
  holder[KEY] ??= create();
  return holder[KEY];
}

function create(): Shared {
  const provider = new BasicTracerProvider({
    // Those of the SDK come from `Math.random`, which other tests make repeatable.
    idGenerator: {
      generateTraceId: () => randomBytes(16).toString('hex'),
      generateSpanId: () => randomBytes(8).toString('hex'),
    },
    spanProcessors: [
      {
        onStart: (...started) => tracer.processor?.onStart(...started),
        onEnd: (span) => tracer.processor?.onEnd(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer: Shared = { provider, processor: undefined };
  return tracer;
}

/** Passes the spans of a file to a processor. */
export function traceTo(processor: SpanProcessor): void {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(shared().provider);
    shared().processor = processor;
  });
  afterAll(() => {
    shared().processor = undefined;
    context.disable();
    trace.disable();
  });
}
