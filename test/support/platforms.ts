import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { closeAfterTest } from './closing.js';

/** The two platforms of Nest; every test over HTTP runs on both. */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** A new adapter, for one application. */
export function adapterFor(platform: Platform): AbstractHttpAdapter {
  return platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}

/** An application that listens on a port of its own, for one test. */
export async function listen(
  builder: TestingModuleBuilder,
  platform: Platform,
  configure: (app: INestApplication) => void = () => {},
): Promise<string> {
  const module = await builder.compile();
  const app = module.createNestApplication(adapterFor(platform), { logger: false });
  configure(app);
  closeAfterTest(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}
