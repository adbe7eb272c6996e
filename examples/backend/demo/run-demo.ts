import { ConsoleLogger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BerbixTokenService } from 'nestjs-berbix';
import { TokenStore } from '../berbix/token-store.js';
import { Database } from '../database/database.js';
import { BackendClient } from './backend-client.js';
import { type BerbixAccount, berbixAccount, pointWebhooks } from './berbix-account.js';
import { DemoModule } from './demo.module.js';
import { Demo } from './demo.js';
import { demoEncryptionKey } from './encryption-key.js';
import { LastErrorLogger } from './last-error.logger.js';
import { Printer } from './printer.js';
import { type DemoSettings, demoSettings, USAGE } from './settings.js';
import { requireKey } from './stored-data.js';
import { type Setup, printNextSteps, printSetup } from './summary.js';

type Print = (line: string) => void;

/** What people read about an error: the messages of the example are complete sentences. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Starts Berbix and the backend, runs the demo, and then waits for `stop` unless `--once` is set.
 */
export async function runDemo(args: string[], stop: Promise<unknown>, print: Print): Promise<void> {
  const settings = demoSettings(args, process.env);
  if (settings === 'help') return print(USAGE);
  print('Starting Berbix, the database and the backend ...');
  const berbix = await berbixAccount(process.env);
  try {
    const key = demoEncryptionKey(settings.data, process.env);
    const app = await NestFactory.create(DemoModule, {
      // The signature of a webhook covers the bytes of its body.
      rawBody: true,
      logger: false,
      abortOnError: false,
    });
    try {
      await Promise.race([stop, demonstrate(app, berbix, key, settings, print)]);
      if (!settings.once) await stop;
    } finally {
      await app.close();
    }
  } finally {
    await berbix.sandbox?.close();
  }
}

async function demonstrate(
  app: INestApplication,
  berbix: BerbixAccount,
  key: string | undefined,
  settings: DemoSettings,
  print: Print,
): Promise<void> {
  await listen(app, settings.port);
  const backend = await app.getUrl();
  pointWebhooks(berbix, backend);
  const store = app.get(TokenStore);
  const setup: Setup = {
    berbix,
    backend,
    database: app.get(Database).location,
    data: settings.data,
    collector: settings.collector,
    tokens: store.location,
    redis: store.redisKeys,
    key,
  };
  const printer = new Printer(print);
  printSetup(printer, setup);
  await requireKey(store.store, process.env['BERBIX_ENCRYPTION_KEYS'] ?? '', setup);
  const ada = new BackendClient(backend, 'ada');
  const tokens = app.get(BerbixTokenService);
  const demo = new Demo({ berbix, ada, tokens, store }, printer);
  const errors = new LastErrorLogger();
  app.useLogger(errors);
  const start = await demo.run(settings.once).catch((error: unknown) => {
    // The backend's log says more than its answer.
    throw errors.last ?? error;
  });
  app.useLogger(new ConsoleLogger({ logLevels: ['error', 'warn', 'log'] }));
  if (!settings.once) printNextSteps(print, setup, start);
}

/** Only on the loopback interface: the demo's header is not a login. */
async function listen(app: INestApplication, port: number): Promise<void> {
  try {
    await app.listen(port, '127.0.0.1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `PORT is ${port}, which cannot be used (${code}). Leave it out for a free one.`,
      { cause: error },
    );
  }
}
