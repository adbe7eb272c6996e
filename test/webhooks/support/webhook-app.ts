import { request } from 'node:http';
import { jest } from '@jest/globals';
import { Module, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { EventBus } from '../../../lib/events/index.js';
import {
  CheckedStore,
  InMemoryTokenStore,
  type BerbixTokenStore,
} from '../../../lib/token-store/index.js';
import {
  BERBIX_WEBHOOK_SETTINGS,
  WebhookSettings,
  webhookProviders,
  type BerbixWebhookOptions,
} from '../../../lib/webhooks/index.js';
import { closeAfterTest } from '../../support/closing.js';
import { adapterFor, type Platform } from '../../support/platforms.js';

/** The time limit of one call to the store, in milliseconds. */
export const STORE_TIMEOUT_MS = 1_500;

/** The secrets of the two webhooks. */
export const SECRETS = { finished: 'whs_test_finished', status: 'whs_test_status' };

@Module({})
class WebhookModule {}

/** The webhooks of an account. */
export function webhookModule(
  options?: BerbixWebhookOptions,
  store: BerbixTokenStore = new InMemoryTokenStore(),
  account = 'default',
): DynamicModule {
  return {
    module: WebhookModule,
    imports: [DiscoveryModule],
    providers: [
      { provide: BERBIX_WEBHOOK_SETTINGS, useFactory: () => new WebhookSettings(options, account) },
      { provide: EventBus, useFactory: () => new EventBus(account) },
      { provide: CheckedStore, useFactory: () => new CheckedStore(store, STORE_TIMEOUT_MS) },
      ...webhookProviders(account),
    ],
  };
}

export interface AppParts {
  platform?: Platform;
  imports?: DynamicModule[];
  controllers?: Type[];
  providers?: Type[];
  rawBody?: boolean;
  configure?: (app: INestApplication) => void;
}

export interface WebhookApp {
  url: string;
  /** What was logged, `level: message`. */
  logs: string[];
  module: TestingModule;
  close(): Promise<void>;
}

/** An application that receives webhooks, for one test. */
export async function startApp({
  platform = 'express',
  imports = [webhookModule(SECRETS)],
  controllers = [],
  providers = [],
  rawBody = true,
  configure,
}: AppParts): Promise<WebhookApp> {
  const module = await Test.createTestingModule({ imports, controllers, providers }).compile();
  const logs: string[] = [];
  const note =
    (level: string) =>
    (message: unknown): void =>
      void logs.push(`${level}: ${String(message)}`);
  const app = module.createNestApplication(adapterFor(platform), {
    rawBody,
    logger: { log: note('log'), warn: note('warn'), error: note('error'), fatal: note('fatal') },
  });
  configure?.(app);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= app.close());
  closeAfterTest(close);
  await app.listen(0, '127.0.0.1');
  // The boot logs much that has nothing to do with webhooks.
  logs.splice(0, logs.length, ...logs.filter((line) => !line.startsWith('log:')));
  return { url: await app.getUrl(), logs, module, close };
}

/** Sends bytes, with a header line for each signature; returns status and body of the answer. */
export function post(
  url: string,
  body: string | Buffer,
  signature?: string | string[],
  contentType = 'application/json',
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        ...(signature !== undefined && { 'x-berbix-signature': signature }),
      },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.end(body);
  });
}

/** Runs a function with the fake `setTimeout` of Jest; the clocks and all else are real. */
export async function withFakeTimeouts<T>(run: () => Promise<T>): Promise<T> {
  const doNotFake = ['setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const;
  jest.useFakeTimers({
    doNotFake: [...doNotFake, 'nextTick', 'queueMicrotask', 'Date', 'performance', 'hrtime'],
  });
  try {
    return await run();
  } finally {
    jest.useRealTimers();
  }
}
