import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { metrics, type MetricOptions } from '@opentelemetry/api';
import { BerbixModule, InMemoryTokenStore } from 'nestjs-berbix';
import { startModule } from '../support/services.js';

interface Instrument {
  readonly name: string;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly unit: string;
}

/** All instruments that an application creates. */
let instruments: Instrument[];
beforeAll(async () => {
  instruments = [];
  const creates =
    (kind: Instrument['kind']) =>
    (name: string, { unit = '' }: MetricOptions = {}) => {
      instruments.push({ name, kind, unit });
      const nothing = (): void => {};
      return { add: nothing, record: nothing, addCallback: nothing, removeCallback: nothing };
    };
  const meter = {
    createCounter: creates('counter'),
    createHistogram: creates('histogram'),
    createObservableGauge: creates('gauge'),
  };
  metrics.setGlobalMeterProvider({ getMeter: () => meter as never });
  const account = { apiSecret: 'secret_test_1', store: new InMemoryTokenStore() };
  await (await startModule(BerbixModule.forRoot(account))).init();
});
afterAll(() => metrics.disable());

const UNITS = new Map([['s', '_seconds']]);

/**
 * The names of an instrument in Prometheus, by the rules of its translator from OTLP: units in braces
 * are dropped, a gauge whose unit is 1 is a ratio, and counters are totals.
 */
function prometheusNames({ name, kind, unit }: Instrument): string[] {
  const isRatio = unit === '1' && kind === 'gauge';
  const suffix = isRatio ? '_ratio' : (UNITS.get(unit) ?? '');
  if (suffix === '' && unit !== '' && unit !== '1' && !/^\{\w+\}$/.test(unit)) {
    throw new Error(`The suffix of the unit ${unit} is not known here.`);
  }
  const base = `${name.replaceAll('.', '_')}${suffix}`;
  if (kind === 'counter') return [`${base}_total`];
  return kind === 'gauge' ? [base] : [`${base}_bucket`, `${base}_count`, `${base}_sum`];
}

/** The attributes of all metrics, as Prometheus writes them. */
function labels(): string[] {
  const sources = ['lib/telemetry/instruments.ts', 'lib/berbix.metrics.ts'].map((file) =>
    readFileSync(file, 'utf8'),
  );
  return [...sources.join('\n').matchAll(/'(berbix(?:\.\w+)+)'/g)]
    .map(([, name = '']) => name)
    .filter((name) => !instruments.some((instrument) => instrument.name === name))
    .map((name) => name.replaceAll('.', '_'));
}

// test/examples/start.spec.ts has a collector that is up.
describe('npm start with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('ends as usual if the collector is down', async () => {
    const script = `
      import { trace } from '@opentelemetry/api';
      import { startTelemetry } from './build/examples/backend/telemetry.js';
      const stop = startTelemetry();
      trace.getTracer('test').startSpan('one').end();
      await stop();`;
    const args = ['--input-type=module', '-e', script];
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const { stderr } = await promisify(execFile)(process.execPath, args, { env });
    expect(stderr).toBe('');
  });
});

describe.each(['dashboard.json', 'alerts.yml'])('examples/observability/%s', (file) => {
  it('uses metrics that exist', () => {
    const text = readFileSync(`examples/observability/${file}`, 'utf8');
    const known = new Set([...instruments.flatMap(prometheusNames), ...labels()]);
    const used = [...text.matchAll(/\bberbix_[a-z_]+/g)].map(([name]) => name);
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('docs/observability.md', () => {
  /** The rows of a table: the text of each cell. */
  const rows = (heading: string): string[][] => {
    const [, section = ''] = readFileSync('docs/observability.md', 'utf8').split(`## ${heading}\n`);
    const lines = section.split('\n## ')[0]?.split('\n') ?? [];
    return lines
      .filter((line) => /^\| *`/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
  };

  it('lists each metric with its kind and unit', () => {
    const listed = rows('Metrics').map(([, name, type]) => `${name} ${type?.split(':')[0]}`);
    const real = instruments.map(
      ({ name, kind, unit }) => `\`${name}\` ${kind}${unit === 's' ? ', s' : ''}`,
    );
    expect(listed.toSorted()).toEqual(real.toSorted());
  });

  it('gives advice on metrics that exist', () => {
    const text = rows('What to alert on').join('\n');
    const used = [...text.matchAll(/`(berbix(?:\.\w+)+)`/g)].map(([, name]) => name);
    expect(used.length).toBeGreaterThan(5);
    expect(instruments.map(({ name }) => name)).toEqual(expect.arrayContaining(used));
  });
});
