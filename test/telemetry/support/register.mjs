// Registers an OpenTelemetry SDK that keeps everything in memory, as an application does with
// `node --import`: before any other module is loaded.
import { register } from 'node:module';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

class TestReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

export const spans = new InMemorySpanExporter();
/** Each time, it collects what has happened since. */
export const reader = new TestReader({
  aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
});

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
);
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
registerInstrumentations({
  instrumentations: [
    new UndiciInstrumentation(),
    new PgInstrumentation({ enhancedDatabaseReporting: true }),
    new IORedisInstrumentation(),
  ],
});
