import type { Server } from 'node:http';
import { afterEach } from '@jest/globals';
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
import { firstValueFrom } from 'rxjs';
import { until } from './until.js';

/** Closed after the test that opened them, last first. */
const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** Has something closed after the test. */
export function closeAfterTest(close: () => Promise<unknown>): void {
  open.push(close);
}

/** Has a server listen on a port of its own, for one test. */
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

/** A Nest application context with these imports, for one test. */
export async function startModule(
  ...imports: (DynamicModule | Promise<DynamicModule>)[]
): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports }).compile();
  closeAfterTest(() => module.close());
  return module;
}

export interface Services {
  module: TestingModule;
  tokens: BerbixTokenService;
  transactions: BerbixTransactionService;
}

/** The services, as an application gets them. */
export async function startServices(options: BerbixModuleOptions): Promise<Services> {
  const module = await startModule(BerbixModule.forRoot(options));
  return {
    module,
    tokens: module.get(BerbixTokenService),
    transactions: module.get(BerbixTransactionService),
  };
}

/** The services of an account of the sandbox; no repetition unless asked for, so that tests count requests. */
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

/** A transaction in the sandbox, made through the public API. */
export function createTransaction(
  sandbox: BerbixSandbox,
  { transactions }: Services,
): Promise<BerbixTokens> {
  return firstValueFrom(
    transactions.create({ customerUid: 'ada', templateKey: sandbox.templateKeys.sdk }),
  );
}
