import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import {
  MeterProvider,
  MetricReader,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { VERSION } from '../../lib/version.js';
import { advance, outcomeOf, settle } from '../renewal/support/virtual-time.js';
import { eachWorld } from '../renewal/support/world.js';
import { expectApproved } from './support/approved.js';

class TestReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

const MINUTE = 60_000;
const [ADA, BOB] = [{ customerUid: 'ada' }, { customerUid: 'bob' }];

const the = eachWorld();
let reader: TestReader;

beforeAll(() => {
  reader = new TestReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
});
afterAll(() => metrics.disable());

/** An instrument with its buckets, and a line for each of its series. */
function describeMetric({ descriptor, dataPoints }: MetricData): string {
  const { name, unit, description } = descriptor;
  const values = dataPoints.map(({ value }) => value as Partial<Histogram>);
  const [boundaries] = values.flatMap(({ buckets }) => [buckets?.boundaries ?? []]);
  const series = dataPoints.map(({ attributes }, index) => {
    const { buckets, ...rest } = values[index]!;
    const value = buckets === undefined ? values[index] : { ...rest, counts: buckets.counts };
    return `  ${JSON.stringify(attributes)}: ${JSON.stringify(value)}`;
  });
  const limits = boundaries?.length ? [`  up to ${boundaries.join(', ')}`] : [];
  return [`${name} in ${unit}: ${description}`, ...limits, ...series.toSorted()].join('\n');
}

it('the instruments, and what they measure, are those approved', async () => {
  const { world } = the;
  world.watch.isTroubled = true;
  const replica = await world.start({ retry: 1 });
  await replica.module.init();
  await outcomeOf(replica.remember(world.api.create('1'), 'ada'));
  for (const minutes of [0, 1, 48, 60]) {
    await advance(minutes * MINUTE);
    await outcomeOf(replica.fresh(ADA));
  }
  const other = await world.start({ retry: 1 });
  await advance(60 * MINUTE);
  await Promise.all([outcomeOf(replica.fresh(ADA)), outcomeOf(other.fresh(ADA))]);
  await outcomeOf(other.fresh(ADA));
  await advance(MINUTE);
  world.api.faults.push({ status: 500 });
  await outcomeOf(replica.fresh(ADA, { refused: (await replica.fresh(ADA)).accessToken }));
  world.api.fault = { status: 500 };
  await advance(MINUTE);
  await outcomeOf(replica.fresh(ADA, { refused: (await replica.fresh(ADA)).accessToken }));
  world.api.fault = undefined;
  world.storeFaults.push({ call: 'load', fault: 'fail' });
  await outcomeOf(replica.fresh(BOB));
  world.api.purge('1');
  await advance(60 * MINUTE);
  await outcomeOf(replica.fresh(ADA));
  // The last events.
  await settle();
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  expect(resourceMetrics.scopeMetrics.map(({ scope }) => scope)).toEqual([
    { name: 'nestjs-berbix', version: VERSION },
  ]);
  const texts = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.map(describeMetric));
  expectApproved('metrics.txt', `${texts.toSorted().join('\n\n')}\n`);
});
