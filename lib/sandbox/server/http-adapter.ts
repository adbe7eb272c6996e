import { maxHeaderSize } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { RequestListener } from '../requests/request-pipeline.js';
import { installCommand } from './install-command.js';
import { isMissing } from './missing-package.js';

/** The platforms of Nest that the sandbox runs on. */
export type Platform = 'express' | 'fastify';

/** An adapter, and how node's requests reach it without a server of its own. */
export interface PlatformAdapter {
  adapter: AbstractHttpAdapter;
  /** To be called when the application has been initialised. */
  listener(): Promise<RequestListener>;
}

/** How each platform is loaded, in the order in which they are tried. */
export type PlatformLoaders = Partial<Record<Platform, () => Promise<PlatformAdapter>>>;

/**
 * Loads on demand: an application has one of them, seldom both. Measured, Express starts a quarter
 * sooner and Fastify takes twice as many requests; test suites start sandboxes more than they load
 * them, and Swagger UI needs nothing more on Express.
 */
export const PLATFORM_LOADERS: Required<PlatformLoaders> = {
  express: loadExpress,
  fastify: loadFastify,
};

/** @throws {Error} that says what to install if none is there */
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
  // Answers shall not depend on the platform.
  adapter.disable('x-powered-by');
  adapter.set('etag', false);
  return { adapter, listener: async () => adapter.getInstance<RequestListener>() };
}

async function loadFastify(): Promise<PlatformAdapter> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  const adapter = new FastifyAdapter({
    exposeHeadRoutes: false,
    // Of its own accord it answers 414 beyond 100 characters. A head cannot be this long.
    routerOptions: { maxParamLength: maxHeaderSize },
  });
  const listener = async (): Promise<RequestListener> => {
    const instance = adapter.getInstance();
    await instance.ready();
    return (request, response) => {
      // The body has been read; without these Fastify looks for no parser for it.
      request.headers['content-type'] = undefined;
      request.headers['content-length'] = undefined;
      request.headers['transfer-encoding'] = undefined;
      instance.routing(request, response);
    };
  };
  return { adapter, listener };
}
