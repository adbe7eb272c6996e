import { once } from 'node:events';
import { ConsoleLogger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Database } from './database/database.js';
import { type BerbixAccount, berbixAccount } from './demo/berbix-account.js';
import { LastErrorLogger } from './demo/last-error.logger.js';
import { Paper } from './demo/paper.js';
import { type DemoSettings, demoSettings } from './demo/settings.js';
import { printSurroundings, printWhereToLook } from './demo/surroundings.js';
import { WalkThrough } from './demo/walk-through.js';
import { VerificationsRepository } from './verifications/verifications.repository.js';

const paper = new Paper(console.log);
const errors = new LastErrorLogger();

/** Starts Berbix and the backend, walks through, and stays up until a signal, or `--once`. */
async function main(settings: DemoSettings): Promise<void> {
  // Listened for from here on, so that a signal during the start is not lost.
  const signal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const berbix = await berbixAccount(process.env);
  try {
    const app = await NestFactory.create(AppModule, { logger: errors, abortOnError: false });
    try {
      await Promise.race([signal, demonstrate(app, berbix, settings)]);
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
  settings: DemoSettings,
): Promise<void> {
  await listen(app, settings.port);
  const places = { berbix, backend: await app.getUrl(), data: app.get(Database).location };
  printSurroundings(paper, places);
  try {
    await new WalkThrough(places.backend, app.get(VerificationsRepository), paper).run();
  } catch (error) {
    // What the backend logged says more than what its caller may know.
    throw errors.last ?? error;
  }
  app.useLogger(new ConsoleLogger({ logLevels: ['error', 'warn'] }));
  if (!settings.once) printWhereToLook(console.log, places);
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
  await main(demoSettings(process.argv.slice(2), process.env));
} catch (error) {
  console.error(sentenceOf(error));
  process.exitCode = 1;
}
