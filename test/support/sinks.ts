import { inspect } from 'node:util';
import { afterEach, beforeEach, jest } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';

/** Runs a function and returns what it wrote to the standard streams. */
export async function captureOutput(run: () => unknown): Promise<string> {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write);
  let written = '';
  for (const stream of streams) {
    stream.write = ((chunk: string | Uint8Array) => {
      written += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return true;
    }) as typeof stream.write;
  }
  try {
    await run();
  } finally {
    streams.forEach((stream, index) => (stream.write = originals[index] as typeof stream.write));
  }
  return written;
}

/** The text that loggers, reporters and serializers make of a value. */
export async function everyViewOf(value: unknown): Promise<string> {
  const views = [
    inspect(value, { depth: null, showHidden: true, getters: true }),
    inspect({ wrapped: [value] }, { depth: null }),
    String(value),
    JSON.stringify(value) ?? '',
  ];
  if (value instanceof Error) {
    views.push(
      value.stack ?? '',
      JSON.stringify(value, Object.getOwnPropertyNames(value)),
      inspect(new Error('wrapped', { cause: value }), { depth: null }),
      inspect(value.cause, { depth: null }),
    );
  }
  for (const json of [false, true]) {
    const logger = new ConsoleLogger('Test', { json, colors: false, depth: 20 });
    views.push(
      await captureOutput(() => {
        logger.error(value);
        logger.error('failed', value);
        logger.error({ value });
        logger.warn(value);
        logger.log(value);
        if (value instanceof Error) logger.error(value.message, value.stack);
      }),
    );
  }
  return views.join('\n');
}

/** For tests in which Nest logs errors and warnings as expected. */
export function quietNest(): void {
  beforeEach(() => {
    for (const level of ['error', 'warn'] as const) {
      jest.spyOn(ConsoleLogger.prototype, level).mockImplementation(() => {});
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
}
