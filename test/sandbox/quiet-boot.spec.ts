import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';

@Module({})
class ApplicationModule {}

/** What came out of the process, in lines without colors. */
let written: string[];

beforeEach(() => {
  written = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(stripVTControlCharacters(String(text)));
      return true;
    });
  }
});

afterEach(() => {
  jest.restoreAllMocks();
  Logger.overrideLogger(new ConsoleLogger());
});

/**
 * Logs while something is under way, also between the microtasks of which a boot consists; resolves
 * with the number of lines.
 */
async function logDuring(work: Promise<unknown>, log: (line: string) => void): Promise<number> {
  let lines = 0;
  const state = { over: false };
  const ended = work.finally(() => (state.over = true));
  while (!state.over) {
    for (let microtasks = 0; microtasks < 100; microtasks += 1) {
      log(`line ${(lines += 1)};`);
      await Promise.resolve();
    }
    await new Promise(setImmediate);
  }
  await ended;
  return lines;
}

const own = new Logger('Orders', { timestamp: true });

describe.each(PLATFORMS)('An application around a sandbox on %s', (platform) => {
  // The first start loads the platform, and little of what an application does comes between.
  beforeAll(async () => (await startSandboxOn(platform)).close());

  const startAndClose = async () => {
    const [first] = await Promise.all([startSandboxOn(platform), startSandboxOn(platform)]);
    await first.close();
    // A part of the sandbox that starts when it is asked for.
    const other = await startSandboxOn(platform);
    await fetch(`${other.url}/reference/openapi.json`);
    await other.close();
  };

  it.each([
    ['static', (line: string) => Logger.log(line, 'Orders')],
    ['own', (line: string) => own.log(line)],
  ])('loses no line of the %s logger, and none is added', async (_, log) => {
    const lines = await logDuring(startAndClose(), log);
    expect(lines).toBeGreaterThan(100);
    const expected = Array.from({ length: lines }, (_line, index) => `line ${index + 1};`);
    expect(written.map((line) => /line \d+;/.exec(line)?.[0])).toEqual(expected);
    expect(written.filter((line) => !/LOG \[Orders\] line/.test(line))).toEqual([]);
  });

  it('keeps the logger that it sets meanwhile', async () => {
    const chosen = new ConsoleLogger('chosen');
    const starting = startAndClose();
    Logger.overrideLogger(chosen);
    const lines = await logDuring(starting, (line) => Logger.log(line));
    Logger.log('and after it');
    expect(written.filter((line) => line.includes('LOG [chosen]'))).toHaveLength(lines + 1);
    expect(written).toHaveLength(lines + 1);
  });

  it('starts beside it with a buffer for its lines, or with none to write', async () => {
    const [application] = await Promise.all([
      NestFactory.createApplicationContext(ApplicationModule, { bufferLogs: true }),
      startAndClose(),
    ]);
    Logger.log('mine');
    application.flushLogs();
    await application.close();
    // Two of the factory and of the loader of modules, and its own.
    expect(written.map((line) => /LOG \[(\w+)\]/.exec(line)?.[1])).toEqual([
      'NestFactory',
      'InstanceLoader',
      undefined,
    ]);
  });

  it('finds the logger as it was before', async () => {
    const fields = ['staticInstanceRef', 'isBufferAttached'];
    const before = fields.map((field) => Object.getOwnPropertyDescriptor(Logger, field));
    expect(before).toEqual(fields.map(() => expect.objectContaining({ writable: true })));
    await startAndClose();
    const after = fields.map((field) => Object.getOwnPropertyDescriptor(Logger, field));
    expect(after).toEqual(before);
  });

  it('that logs nothing still logs nothing', async () => {
    Logger.overrideLogger(false);
    const lines = await logDuring(startAndClose(), (line) => Logger.log(line));
    expect(lines).toBeGreaterThan(100);
    expect(written).toEqual([]);
  });
});
