import { once } from 'node:events';
import { ConsoleLogger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BerbixTokenService } from 'nestjs-berbix';
import { TokenStore } from './berbix/token-store.js';
import { Database } from './database/database.js';
import { BackendClient } from './demo/backend-client.js';
import { type BerbixAccount, berbixAccount, pointWebhooks } from './demo/berbix-account.js';
import { DemoModule } from './demo/demo.module.js';
import { demoEncryptionKey } from './demo/encryption-key.js';
import { requireKey } from './demo/kept-data.js';
import { LastErrorLogger } from './demo/last-error.logger.js';
import { Paper } from './demo/paper.js';
import { type DemoSettings, demoSettings, USAGE } from './demo/settings.js';
import { type Places, printSurroundings, printWhereToLook } from './demo/surroundings.js';
import { WalkThrough } from './demo/walk-through.js';

const paper = new Paper(console.log);

/** Starts Berbix and the backend, walks through, and stays up until a signal, or `--once`. */
async function main(settings: DemoSettings): Promise<void> {
  // Listened for from here on, so that a signal during the start is not lost.
  const signal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  console.log('Starting Berbix, the database and the backend ...');
  const berbix = await berbixAccount(process.env);
  try {
    const key = demoEncryptionKey(settings.data, process.env);
    const app = await NestFactory.create(DemoModule, {
      // Webhooks are signed over the bytes of their body.
      rawBody: true,
      logger: false,
      abortOnError: false,
    });
    try {
      await Promise.race([signal, demonstrate(app, berbix, key, settings)]);
      if (!settings.once) await signal;
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
): Promise<void> {
  await listen(app, settings.port);
  const backend = await app.getUrl();
  pointWebhooks(berbix, backend);
  const store = app.get(TokenStore);
  const places: Places = {
    berbix,
    backend,
    database: app.get(Database).location,
    data: settings.data,
    tokens: store.location,
    redis: store.redisKeys,
    key,
  };
  printSurroundings(paper, places);
  await requireKey(store.store, process.env['BERBIX_ENCRYPTION_KEYS'] ?? '', places);
  const ada = new BackendClient(backend, 'ada');
  const tokens = app.get(BerbixTokenService);
  const walk = new WalkThrough({ berbix, ada, tokens, store }, paper);
  const errors = new LastErrorLogger();
  app.useLogger(errors);
  const start = await walk.run(settings.once).catch((error: unknown) => {
    // What the backend logged says more than what its caller may know.
    throw errors.last ?? error;
  });
  app.useLogger(new ConsoleLogger({ logLevels: ['error', 'warn', 'log'] }));
  if (!settings.once) printWhereToLook(console.log, places, start);
}

/** On this machine only: the demo's header is no login. */
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

/** Messages are made for people here; only this one reaches them. */
function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  const settings = demoSettings(process.argv.slice(2), process.env);
  if (settings === 'help') console.log(USAGE);
  else await main(settings);
} catch (error) {
  console.error(sentenceOf(error));
  // What a start that failed has opened shall not keep the process.
  process.exit(1);
}
