// An application with OpenTelemetry, in a process of its own: an SDK is global. It runs the steps of
// one test, with a span around each call like that of a request, and writes all spans and metrics.
// Arguments: the name of the steps; the options of the module, and of the steps, as JSON.
import { trace } from '@opentelemetry/api';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixWebhookService,
  InMemoryTokenStore,
  OnBerbixWebhook,
} from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { FakeClock } from 'nestjs-berbix/testing';
import pg from 'pg';
import { firstValueFrom } from 'rxjs';
import { reader, spans } from './register.mjs';
import { STEPS } from './steps.mjs';

const [name, options, parameters] = process.argv.slice(2);
const { postgres, redis, place, ...given } = JSON.parse(parameters);
const pool = postgres && new pg.Pool({ connectionString: postgres });
const client = redis && new Redis(redis);
const store =
  (pool && new PostgresTokenStore(pool, { table: place })) ??
  (client && new RedisTokenStore(client, { prefix: place })) ??
  new InMemoryTokenStore();

/** Handles webhooks, except those of customers who are rejected. */
class Handler {
  handle({ action }) {
    if (action === 'reject') throw new Error('The mailer is down.');
  }
}
const method = Object.getOwnPropertyDescriptor(Handler.prototype, 'handle');
OnBerbixWebhook('status')(Handler.prototype, 'handle', method);

/** One replica of the application. */
async function start() {
  const replica = await Test.createTestingModule({
    imports: [BerbixModule.forRoot({ ...JSON.parse(options), store })],
    providers: [Handler],
  }).compile();
  replica.useLogger(false);
  return replica.init();
}

const module = await start();
let other;
await STEPS[name]({
  ...given,
  tokens: module.get(BerbixTokenService),
  transactions: module.get(BerbixTransactionService),
  webhooks: module.get(BerbixWebhookService),
  tokensOfAnother: async () => {
    other = await start();
    return other.get(BerbixTokenService);
  },
  spans,
  clock: FakeClock.install(),
  first: firstValueFrom,
  inSpan: (title, run) =>
    trace.getTracer('test').startActiveSpan(title, async (span) => {
      try {
        return await run();
      } finally {
        span.end();
      }
    }),
});
// Events come after what they tell of.
await new Promise((resolve) => setImmediate(resolve));
const { resourceMetrics } = await reader.collect();
await module.close();
await other?.close();
await pool?.end();
client?.disconnect();

const idOf = (context) => context?.spanId;
const result = {
  spans: spans.getFinishedSpans().map((span) => ({
    id: idOf(span.spanContext()),
    parent: idOf(span.parentSpanContext),
    name: span.name,
    kind: span.kind,
    scope: span.instrumentationScope.name,
    status: span.status,
    attributes: span.attributes,
    events: span.events,
    links: span.links.map(({ context }) => idOf(context)),
  })),
  metrics: resourceMetrics.scopeMetrics
    .filter(({ scope }) => scope.name === 'nestjs-berbix')
    .flatMap(({ metrics }) => metrics)
    .map(({ descriptor, dataPoints }) => ({
      name: descriptor.name,
      unit: descriptor.unit,
      points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
    })),
};
process.stdout.write(JSON.stringify(result));
