import { DiagConsoleLogger, DiagLogLevel, context, diag, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

/**
 * Sends traces and metrics to the collector at OTEL_EXPORTER_OTLP_ENDPOINT. Call it before the
 * application is created: meters do not notice an SDK that is registered later.
 *
 * @returns a function that sends what is left
 */
export function startTelemetry(): () => Promise<void> {
  // Failed exports are otherwise silent.
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  // A collector that is down delays the end of the process by no more than this.
  const timeoutMillis = 2_000;
  const resource = resourceFromAttributes({
    'service.name': process.env['OTEL_SERVICE_NAME'] ?? 'nestjs-berbix-example',
  });
  const tracers = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis }))],
  });
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ timeoutMillis }) }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  // The requests to Berbix. For those to the database, see the instrumentations of pg and ioredis.
  registerInstrumentations({
    instrumentations: [
      // The demo also plays the customer's browser, whose address has the client token.
      new UndiciInstrumentation({ ignoreRequestHook: ({ path }) => path.startsWith('/v0/verify') }),
    ],
  });
  return async () => {
    // A collector that is down must not turn a clean end into a failure.
    await Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
  };
}
