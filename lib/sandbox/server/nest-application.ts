import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { RequestListener } from '../requests/request-pipeline.js';
import { loadPlatform, type PlatformLoaders } from './http-adapter.js';
import { quietly } from './quiet-boot.js';

/** The Nest application of the sandbox, initialised; servers of our own feed it. */
export interface SandboxApplication {
  listener: RequestListener;
  close(): Promise<void>;
}

/** Starts the application on the platform that is installed. */
export async function createApplication(
  module: DynamicModule,
  loaders?: PlatformLoaders,
): Promise<SandboxApplication> {
  const platform = await loadPlatform(loaders);
  return quietly(async () => {
    const application = await NestFactory.create(module, platform.adapter, {
      abortOnError: false,
      bodyParser: false,
    });
    await application.init();
    return { listener: await platform.listener(), close: () => application.close() };
  });
}
