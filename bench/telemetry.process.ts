import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { firstValueFrom } from 'rxjs';
import { measureTurn } from './harness/measure.js';
import { answer } from './harness/peer.js';
import { openTokenService, tokensOf, uidOf } from './harness/stored-tokens.js';

/** What is measured; `many` are concurrent callers of one exchange, which count as one. */
export type Work = 'memory' | 'exchange' | 'many';

export interface TelemetryTask {
  work: Work;
  callers: number;
  ms: number;
}

/** A SDK with everything but a collector: what it would send is thrown away. */
function startSdk(): void {
  const nowhere: SpanExporter = {
    export: (_spans, done) => done({ code: 0 }),
    shutdown: async () => {},
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(nowhere)] }),
  );
  metrics.setGlobalMeterProvider(new MeterProvider());
  registerInstrumentations({ instrumentations: [new UndiciInstrumentation()] });
}

const [, , url = '', sdk] = process.argv;
if (sdk === 'with') startSdk();
const service = await openTokenService(url);
const customerUid = uidOf(0);
await firstValueFrom(service.remember({ customerUid, tokens: tokensOf(0) }));
await firstValueFrom(service.fresh({ customerUid }));
let next = 0;

const exchange = (refreshToken: string): Promise<unknown> =>
  firstValueFrom(service.refresh(refreshToken));
const newToken = (): string => `rt_${'x'.repeat(32)}_${next++}`;

/** Works until the end; resolves to how often. */
const WORKS: Record<Work, (task: TelemetryTask, end: number) => Promise<number>> = {
  async memory(_task, end) {
    let done = 0;
    for (; performance.now() < end; done += 1_000) {
      for (let call = 0; call < 1_000; call++) service.fresh({ customerUid }).subscribe();
    }
    return done;
  },
  async exchange({ callers }, end) {
    const first = next;
    const one = async (): Promise<void> => {
      while (performance.now() < end) await exchange(newToken());
    };
    await Promise.all(Array.from({ length: callers }, one));
    return next - first;
  },
  async many({ callers }, end) {
    const first = next;
    do {
      const refreshToken = newToken();
      await Promise.all(Array.from({ length: callers }, () => exchange(refreshToken)));
    } while (performance.now() < end);
    return next - first;
  },
};

answer((task: TelemetryTask) =>
  measureTurn(() => WORKS[task.work](task, performance.now() + task.ms)),
);
