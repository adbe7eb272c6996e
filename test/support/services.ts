import type { Server } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  type BerbixModuleOptions,
  type BerbixTokens,
} from 'nestjs-berbix';
import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { FakeClock } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { PLATFORM_LOADERS } from '../../lib/sandbox/http/application.js';
import { closeAfterTest } from './closing.js';
import type { Platform } from './platforms.js';
import { until } from './until.js';

/** Makes a server listen on a port of its own, for one test. */
export async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  closeAfterTest(async () => {
    server.close();
    server.closeAllConnections();
  });
  await until(() => server.listening);
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** A sandbox for one test. */
export async function startSandbox(options?: BerbixSandboxOptions): Promise<BerbixSandbox> {
  const sandbox = await BerbixSandbox.start(options);
  closeAfterTest(() => sandbox.close());
  return sandbox;
}

/** A sandbox on a platform of Nest, for one test, or for a file with `closeAfterFile`. */
export async function startSandboxOn(
  platform: Platform,
  options?: BerbixSandboxOptions,
  closeLater = closeAfterTest,
): Promise<BerbixSandbox> {
  const loaders = { [platform]: PLATFORM_LOADERS[platform] };
  const sandbox = await BerbixSandbox.startOn(loaders, options);
  closeLater(() => sandbox.close());
  return sandbox;
}

/** A Nest application context with these imports, for one test. */
export async function startModule(
  ...imports: (DynamicModule | Promise<DynamicModule>)[]
): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports }).compile();
  closeAfterTest(() => module.close());
  return module;
}

/** The clock of this process, which one test moves. */
export function installClock(): FakeClock {
  const clock = FakeClock.install();
  closeAfterTest(() => clock.uninstall());
  return clock;
}

export interface Services {
  module: TestingModule;
  tokens: BerbixTokenService;
  transactions: BerbixTransactionService;
}

/** The services as an application gets them. */
export async function startServices(options: BerbixModuleOptions): Promise<Services> {
  const module = await startModule(BerbixModule.forRoot(options));
  return {
    module,
    tokens: module.get(BerbixTokenService),
    transactions: module.get(BerbixTransactionService),
  };
}

/** The services of an account of the sandbox; without retries by default, so that tests can count requests. */
export function servicesFor(
  sandbox: BerbixSandbox,
  options?: Partial<BerbixModuleOptions>,
): Promise<Services> {
  return startServices({
    apiSecret: sandbox.apiSecret,
    apiHost: sandbox.url,
    retry: 0,
    ...options,
  });
}

/** Creates a transaction in the sandbox through the public API. */
export function createTransaction(
  sandbox: BerbixSandbox,
  { transactions }: Services,
): Promise<BerbixTokens> {
  return firstValueFrom(
    transactions.create({ customerUid: 'ada', templateKey: sandbox.templateKeys.sdk }),
  );
}
