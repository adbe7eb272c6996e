import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { closeAfterTest } from './services.js';

/** The two platforms of Nest; every test of what goes through HTTP runs on both. */
export const PLATFORMS = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const;

/** An application that listens on a port of its own, for one test. */
export async function listen(
  builder: TestingModuleBuilder,
  adapter: (typeof PLATFORMS)[number][1],
  configure: (app: INestApplication) => void = () => {},
): Promise<string> {
  const module = await builder.compile();
  const app = module.createNestApplication(adapter() as ExpressAdapter, { logger: false });
  configure(app);
  closeAfterTest(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}
