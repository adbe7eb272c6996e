import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { start, preparedDirectory } from '../examples/support/start.js';
import { listening } from '../support/services.js';

/** The names of all metrics and their attributes, as Prometheus writes them. */
function knownNames(): string[] {
  const sources = ['lib/telemetry/instruments.ts', 'lib/berbix.metrics.ts'].map((file) =>
    readFileSync(file, 'utf8'),
  );
  return [...sources.join('\n').matchAll(/'(berbix(?:\.\w+)+)'/g)].map(([, name = '']) =>
    name.replaceAll('.', '_'),
  );
}

describe('npm start with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('sends traces and metrics to the collector', async () => {
    const received: [path: string | undefined, body: string][] = [];
    const endpoint = await listening(
      createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += chunk));
        request.on('end', () => {
          received.push([request.url, body]);
          response.setHeader('content-type', 'application/json').end('{}');
        });
      }),
    );
    const run = start(await preparedDirectory('database'), ['--once'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    });
    expect((await run.ended).code).toBe(0);
    const sent = (path: string): string =>
      received.flatMap(([url, body]) => (url === path ? body : [])).join('\n');
    for (const name of ['berbix.verification.begin', 'berbix.tokens.exchange', 'POST']) {
      expect(sent('/v1/traces')).toContain(`"name":"${name}"`);
    }
    expect(sent('/v1/traces')).toContain('nestjs-berbix-example');
    expect(sent('/v1/metrics')).toContain('berbix.token.exchange.duration');
    const all = received.map(([, body]) => body).join('\n');
    expect(all).not.toMatch(/(?:\b(?:secret_test|rt|at)_|\beyJ)\w{8}/);
  });

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
