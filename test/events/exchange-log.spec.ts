import { describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger, type LogLevel } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';

quietNest();

/** Services in an application with these levels, and what the token service writes for debugging. */
async function loggingServices(...levels: LogLevel[]) {
  const sandbox = await startSandbox();
  const services = await servicesFor(sandbox);
  const created = await createTransaction(sandbox, services);
  const lines: string[] = [];
  jest.spyOn(ConsoleLogger.prototype, 'log').mockImplementation(() => {});
  jest.spyOn(ConsoleLogger.prototype, 'debug').mockImplementation((line, context) => {
    if (context === 'BerbixTokenService') lines.push(String(line));
  });
  // The logger of a testing module writes no such lines.
  Logger.overrideLogger(new ConsoleLogger({ logLevels: levels }));
  await services.module.init();
  return { ...services, created, lines };
}

describe('the log of exchanges', () => {
  it('has a line for each exchange, and for no other event', async () => {
    const { tokens, created, lines } = await loggingServices('debug');
    await firstValueFrom(tokens.remember({ tokens: created, customerUid: 'ada' }));
    await firstValueFrom(tokens.refresh(created));
    await errorOf(tokens.refresh('rt_unknown'));
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    await until(() => lines.length >= 2);
    expect(lines.map((line) => line.replace(/\d+ ms/, '<n> ms'))).toEqual([
      `The exchange for transaction ${created.transactionId} (forced) succeeded after <n> ms.`,
      'The exchange for transaction unknown (forced) failed with BERBIX_INVALID_REFRESH_TOKEN after <n> ms.',
    ]);
  });

  it('is not written if the level is off', async () => {
    const { tokens, created, lines } = await loggingServices('log');
    await firstValueFrom(tokens.refresh(created));
    // Events are delivered in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lines).toEqual([]);
  });
});
