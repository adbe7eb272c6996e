import { Logger, type LoggerService } from '@nestjs/common';

let lastBoot: Promise<unknown> = Promise.resolve();

/**
 * Runs a start of a Nest application without its log lines.
 *
 * `NestFactory.create(…, { logger: false })` would turn off the logger of the whole process, and
 * with it the one of the application under test. Here it is off for the milliseconds of the start
 * and then what it was; starts wait for each other, so that each finds the right one to put back.
 */
export function quietly<Result>(boot: () => Promise<Result>): Promise<Result> {
  const result = lastBoot.then(() => withoutLogger(boot));
  lastBoot = result.catch(() => undefined);
  return result;
}

async function withoutLogger<Result>(boot: () => Promise<Result>): Promise<Result> {
  const logger = CurrentLogger.get();
  Logger.overrideLogger(false);
  try {
    return await boot();
  } finally {
    // Somebody else may have set one meanwhile: theirs stays.
    if (logger && !CurrentLogger.get()) Logger.overrideLogger(logger);
  }
}

/** The logger in use is open to subclasses only. */
class CurrentLogger extends Logger {
  static get(): LoggerService | undefined {
    return Logger.staticInstanceRef;
  }
}
