import { once } from 'node:events';
import { runDemo, sentenceOf } from './demo/run-demo.js';

// From the beginning, so that a signal during the start is not lost.
const signal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
const stopTelemetry = process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
  ? (await import('./telemetry.js')).startTelemetry()
  : undefined;
try {
  await runDemo(process.argv.slice(2), signal, console.log);
  await stopTelemetry?.();
} catch (error) {
  console.error(sentenceOf(error));
  // A failed start may have left something open that keeps the process alive.
  process.exit(1);
}
