import {
  createNoopMeter,
  metrics,
  type Attributes,
  type Counter,
  type Histogram,
  type Meter,
} from '@opentelemetry/api';
import { VERSION } from '../version.js';
import { quietly } from './quietly.js';

/**
 * Where a caller's tokens came from: the memory of the process, the store, an exchange, or the last
 * known ones because a renewal failed.
 */
export type TokenSource = 'memory' | 'store' | 'exchange' | 'fallback';

/** The operations of a store. */
export type StoreOperation = 'check' | 'load' | 'lease' | 'commit' | 'release' | 'forget' | 'keys';

/** What is counted and measured. All attributes come from closed sets, so none is about a customer. */
export interface Instruments {
  readonly lookups: Count;
  readonly exchangeDuration: Measure;
  readonly leaseWait: Measure;
  readonly dead: Count;
  readonly unsaved: Count;
  readonly retries: Count;
  readonly storeDuration: Measure;
  readonly deliveries: Count;
  readonly rejections: Count;
}

/** Instruments that do not throw, even if the SDK does. */
type Count = Pick<Counter, 'add'>;
type Measure = Pick<Histogram, 'record'>;

/** In seconds: from the answer of a nearby store to the time limit of a call. */
const BUCKET_BOUNDARIES = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15,
];

/** Undefined until an SDK was found. */
let opened: Instruments | undefined;

/**
 * The meter of this package; undefined if no SDK is registered, and then nothing is measured. Unlike
 * tracers, meters do not notice an SDK that is registered later.
 */
export function openMeter(): Meter | undefined {
  const meter = metrics.getMeter('nestjs-berbix', VERSION);
  const isReal = meter !== createNoopMeter();
  opened = isReal ? createInstruments(meter) : undefined;
  return isReal ? meter : undefined;
}

/** The instruments to record with; undefined if nothing is measured. */
export function instruments(): Instruments | undefined {
  return opened;
}

/** For each account, the attributes of its lookups. */
const LOOKUP_ATTRIBUTES = new Map<string, Record<TokenSource, Attributes>>();

/** Counts the tokens that a caller got. Memory may answer a million times a second, so this allocates nothing. */
export function countLookup(account: string, source: TokenSource): void {
  if (opened === undefined) return;
  let attributes = LOOKUP_ATTRIBUTES.get(account);
  if (attributes === undefined) {
    const of = (each: TokenSource): Attributes => ({
      'berbix.account': account,
      'berbix.token.source': each,
    });
    attributes = {
      memory: of('memory'),
      store: of('store'),
      exchange: of('exchange'),
      fallback: of('fallback'),
    };
    LOOKUP_ATTRIBUTES.set(account, attributes);
  }
  opened.lookups.add(1, attributes[source]);
}

/** Measures a call to the store that has just ended. */
export function recordStoreCall(call: {
  account: string;
  operation: StoreOperation;
  /** By `performance.now()`. */
  startedAt: number;
  /** The code of the error, if it failed. */
  failure: string | undefined;
}): void {
  opened?.storeDuration.record((performance.now() - call.startedAt) / 1_000, {
    'berbix.account': call.account,
    'berbix.store.operation': call.operation,
    'error.type': call.failure,
  });
}

function createInstruments(meter: Meter): Instruments {
  const counter = (name: string, unit: string, description: string): Count => {
    const real = meter.createCounter(name, { unit, description });
    return { add: (value, attributes) => quietly(() => real.add(value, attributes)) };
  };
  const duration = (name: string, description: string): Measure => {
    const advice = { explicitBucketBoundaries: BUCKET_BOUNDARIES };
    const real = meter.createHistogram(name, { unit: 's', description, advice });
    return { record: (value, attributes) => quietly(() => real.record(value, attributes)) };
  };
  return {
    lookups: counter('berbix.token.lookups', '{lookup}', 'Tokens that callers got, by source.'),
    exchangeDuration: duration(
      'berbix.token.exchange.duration',
      'Exchanges of refresh tokens, with their repetitions.',
    ),
    leaseWait: duration(
      'berbix.token.lease.wait.duration',
      'Waits for another replica that exchanges the same refresh token.',
    ),
    dead: counter('berbix.token.dead', '{token}', 'Refresh tokens that turned out to be dead.'),
    unsaved: counter(
      'berbix.token.unsaved',
      '{token}',
      'New refresh tokens that the store did not take.',
    ),
    retries: counter('berbix.client.request.retries', '{request}', 'Requests that were repeated.'),
    storeDuration: duration('berbix.store.operation.duration', 'Calls to the store.'),
    deliveries: counter('berbix.webhook.deliveries', '{webhook}', 'Webhooks, by outcome.'),
    rejections: counter('berbix.webhook.rejections', '{webhook}', 'Webhooks that were refused.'),
  };
}
