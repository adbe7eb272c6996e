import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

/** The names of all metrics and their attributes, as Prometheus writes them. */
function knownNames(): string[] {
  const sources = ['lib/telemetry/instruments.ts', 'lib/berbix.metrics.ts'].map((file) =>
    readFileSync(file, 'utf8'),
  );
  return [...sources.join('\n').matchAll(/'(berbix(?:\.\w+)+)'/g)].map(([, name = '']) =>
    name.replaceAll('.', '_'),
  );
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
    const known = knownNames();
    const used = [...text.matchAll(/\bberbix_[a-z_]+/g)];
    expect(used.length).toBeGreaterThan(5);
    for (const [name] of used) {
      const bare = name.replace(/(?:_total|_seconds(?:_bucket|_count|_sum)?)$/, '');
      expect(known).toContain(bare);
    }
  });
});
