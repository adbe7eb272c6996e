import { tmpdir } from 'node:os';
import { afterEach, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { BerbixTokens } from 'nestjs-berbix';

/** The names of what Jest and its environment keep in the global object for a file. */
function globalsOfJest(): string[] {
  return Object.getOwnPropertySymbols(globalThis)
    .map(({ description = '' }) => description)
    .filter((name) => /RETRY|TIMEOUT|EVENT_HANDLERS|JEST_STATE/.test(name))
    .toSorted();
}

/** What every file has from the beginning; in CI, the setup of the files repeats failed tests. */
const FROM_THE_BEGINNING = [
  'EVENT_HANDLERS',
  'JEST_STATE_SYMBOL',
  'RETRY_TIMES_SETTER',
  ...(process.env['CI']
    ? ['LOG_ERRORS_BEFORE_RETRY', 'RETRY_IMMEDIATELY', 'RETRY_TIMES', 'WAIT_BEFORE_RETRY']
    : []),
].toSorted();

/** Two files with these tests run one after the other in one process: neither notices the other. */
export function leaveTraces(): void {
  const globals = globalsOfJest();
  jest.retryTimes(1);
  jest.setTimeout(100_000);
  let done = 0;
  afterEach(() => void (done += 1));

  it('finds the process as it was', () => {
    expect(globals).toEqual(FROM_THE_BEGINNING);
    expect(process.env['LEFT_BEHIND']).toBeUndefined();
    expect(tmpdir()).not.toBe('/elsewhere');
    process.env['TMPDIR'] = '/elsewhere';
    expect(tmpdir()).toBe('/elsewhere');
    expect(process.cwd()).not.toMatch(/test$/);
    expect(Math.abs(Date.now() - performance.timeOrigin)).toBeLessThan(3_600_000);
    expect(Reflect.get(Logger, 'staticInstanceRef')).toBeInstanceOf(ConsoleLogger);
    expect(Reflect.get(Logger, 'logLevels')).toBeUndefined();
    expect(String(new BerbixTokens({ accessToken: 'a', refreshToken: 'r' }))).not.toBe('left');
    expect(done).toBe(0);
  });

  it('leaves traces', () => {
    process.env['LEFT_BEHIND'] = 'yes';
    process.env = { LEFT_BEHIND: 'yes' };
    process.chdir('test');
    jest.useFakeTimers({ now: 0 });
    jest.spyOn(BerbixTokens.prototype, 'toString').mockReturnValue('left');
    Logger.overrideLogger(['error']);
    Logger.overrideLogger(false);
    expect(done).toBe(1);
  });
}
