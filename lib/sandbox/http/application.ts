import { AsyncLocalStorage } from 'node:async_hooks';
import { maxHeaderSize, type RequestListener } from 'node:http';
import { type DynamicModule, Logger, type Type } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { installCommand, isMissing } from './packages.js';

/** The initialized Nest application of the sandbox; the servers of `listeners.ts` feed it. */
export interface SandboxApplication {
  listener: RequestListener;
  /** A provider of the module. */
  get<Provider>(type: Type<Provider>): Provider;
  close(): Promise<void>;
}

/** Starts the application on the installed platform. */
export async function createApplication(
  module: DynamicModule,
  loaders?: PlatformLoaders,
): Promise<SandboxApplication> {
  const platform = await loadPlatform(loaders);
  return quietly(async () => {
    // The common factory keeps options of the last application that starts.
    const factory = Object.create(NestFactory) as typeof NestFactory;
    const application = await factory.create(module, platform.adapter, {
      abortOnError: false,
      // The log buffer belongs to the application under test.
      autoFlushLogs: false,
      bodyParser: false,
    });
    await application.init();
    return {
      listener: await platform.listener(),
      get: (type) => application.get(type),
      close: () => application.close(),
    };
  });
}

/** The platforms of Nest that the sandbox runs on. */
export type Platform = 'express' | 'fastify';

/** An adapter, and the way for Node's requests to reach it without a server of its own. */
export interface PlatformAdapter {
  adapter: AbstractHttpAdapter;
  /** Call it after the application is initialized. */
  listener(): Promise<RequestListener>;
}

/** How to load each platform, in the order in which to try them. */
export type PlatformLoaders = Partial<Record<Platform, () => Promise<PlatformAdapter>>>;

/**
 * Most applications have only one of them installed. Express comes first since it starts a quarter
 * faster, which matters to test suites; Fastify handles twice as many requests per second.
 */
export const PLATFORM_LOADERS: Required<PlatformLoaders> = {
  express: loadExpress,
  fastify: loadFastify,
};

/** @throws {Error} that says what to install if no platform is installed */
export async function loadPlatform(
  loaders: PlatformLoaders = PLATFORM_LOADERS,
): Promise<PlatformAdapter> {
  for (const [platform, load] of Object.entries(loaders)) {
    try {
      return await load();
    } catch (error) {
      if (!isMissing(error, `@nestjs/platform-${platform}`)) throw error;
    }
  }
  throw new Error(
    `The sandbox needs an HTTP platform of Nest. Run: ${installCommand(['@nestjs/platform-express'])}`,
  );
}

async function loadExpress(): Promise<PlatformAdapter> {
  const { ExpressAdapter } = await import('@nestjs/platform-express');
  const adapter = new ExpressAdapter();
  // Answers must not depend on the platform.
  adapter.disable('x-powered-by');
  adapter.set('etag', false);
  return { adapter, listener: async () => adapter.getInstance<RequestListener>() };
}

async function loadFastify(): Promise<PlatformAdapter> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  const adapter = new FastifyAdapter({
    // Express has no limit either (the default answers 414 beyond 100 characters, and no head is
    // longer than this), and ignores a slash at the end.
    routerOptions: { maxParamLength: maxHeaderSize, ignoreTrailingSlash: true },
  });
  const listener = async (): Promise<RequestListener> => {
    const instance = adapter.getInstance();
    await instance.ready();
    return (request, response) => {
      // The body has been read: without these, Fastify does not look for a parser.
      request.headers['content-type'] = undefined;
      request.headers['content-length'] = undefined;
      request.headers['transfer-encoding'] = undefined;
      instance.routing(request, response);
    };
  };
  return { adapter, listener };
}

/**
 * Static fields that Nest's loggers read for every line: where it goes, and whether it is buffered
 * for an application that starts with `bufferLogs`.
 */
const LOGGER_FIELDS = ['staticInstanceRef', 'isBufferAttached'];

/** Set in everything that a boot calls. */
const quiet = new AsyncLocalStorage<true>();

let boots = 0;

/**
 * Boots a Nest application without its log lines.
 *
 * `NestFactory.create(..., { logger: false })` would turn off the logger of the whole process,
 * including that of the application under test. Instead, only code of the boot sees no logger.
 */
async function quietly<Result>(boot: () => Promise<Result>): Promise<Result> {
  boots += 1;
  if (boots === 1) for (const field of LOGGER_FIELDS) hideFromBoots(field);
  try {
    return await quiet.run(true, boot);
  } finally {
    boots -= 1;
    if (boots === 0) {
      for (const field of LOGGER_FIELDS) showAgain(field);
      // Until Node.js 24, it would slow every later promise of the process.
      quiet.disable();
    }
  }
}

/** Code of a boot reads `undefined`; all other code uses the field as before. */
function hideFromBoots(field: string): void {
  let value: unknown = Reflect.get(Logger, field);
  Object.defineProperty(Logger, field, {
    get: () => (quiet.getStore() ? undefined : value),
    set: (next: unknown) => {
      value = next;
    },
    enumerable: true,
    configurable: true,
  });
}

function showAgain(field: string): void {
  const value: unknown = Reflect.get(Logger, field);
  Object.defineProperty(Logger, field, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
