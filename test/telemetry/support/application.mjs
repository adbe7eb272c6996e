// An application with OpenTelemetry, in a process of its own: an SDK is global. For each message it
// runs the steps of a test, with a span around each call like that of a request, and answers with all
// spans and metrics.
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

/** Handles webhooks, except those of customers who are rejected. */
class Handler {
  handle({ action }) {
    if (action === 'reject') throw new Error('The mailer is down.');
  }
}
const method = Object.getOwnPropertyDescriptor(Handler.prototype, 'handle');
OnBerbixWebhook('status')(Handler.prototype, 'handle', method);

process.on('message', async (message) => {
  try {
    process.send({ result: await run(message) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});

/**
 * @param name of the steps
 * @param options of the module
 * @param parameters of the steps; and where the tokens are stored, in memory by default
 */
async function run({ name, options, parameters: { postgres, redis, place, ...parameters } }) {
  const pool = postgres && new pg.Pool({ connectionString: postgres });
  const client = redis && new Redis(redis);
  const store =
    (pool && new PostgresTokenStore(pool, { table: place })) ??
    (client && new RedisTokenStore(client, { prefix: place })) ??
    new InMemoryTokenStore();
  const module = await start(options, store);
  const replicas = [module];
  const clock = FakeClock.install();
  spans.reset();
  try {
    await STEPS[name]({
      ...parameters,
      tokens: module.get(BerbixTokenService),
      transactions: module.get(BerbixTransactionService),
      webhooks: module.get(BerbixWebhookService),
      tokensOfAnother: async () => {
        replicas.push(await start(options, store));
        return replicas[1].get(BerbixTokenService);
      },
      spans,
      clock,
      first: firstValueFrom,
      inSpan,
    });
    // Events come after what they tell of.
    await new Promise((resolve) => setImmediate(resolve));
    const { resourceMetrics } = await reader.collect();
    return { spans: spans.getFinishedSpans().map(toPlain), metrics: metricsIn(resourceMetrics) };
  } finally {
    clock.uninstall();
    for (const replica of replicas) await replica.close();
    await pool?.end();
    client?.disconnect();
  }
}

/** One replica of the application. */
async function start(options, store) {
  const replica = await Test.createTestingModule({
    imports: [BerbixModule.forRoot({ ...options, store })],
    providers: [Handler],
  }).compile();
  replica.useLogger(false);
  return replica.init();
}

function inSpan(title, action) {
  return trace.getTracer('test').startActiveSpan(title, async (span) => {
    try {
      return await action();
    } finally {
      span.end();
    }
  });
}

function toPlain(span) {
  return {
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    name: span.name,
    kind: span.kind,
    scope: span.instrumentationScope.name,
    status: span.status,
    attributes: span.attributes,
    events: span.events,
    links: span.links.map(({ context }) => context.spanId),
  };
}

function metricsIn({ scopeMetrics }) {
  return scopeMetrics
    .filter(({ scope }) => scope.name === 'nestjs-berbix')
    .flatMap(({ metrics }) => metrics)
    .map(({ descriptor, dataPoints }) => ({
      name: descriptor.name,
      unit: descriptor.unit,
      points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
    }));
}
