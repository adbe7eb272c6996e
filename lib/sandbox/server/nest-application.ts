import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LazyApplication } from '../reference/lazy-application.js';
import { loadReferencePage, type ReferencePage } from '../reference/reference-page.js';
import { isReferencePage, isReferencePath } from '../reference/reference-path.js';
import { REFERENCE_HEADERS } from '../reference/reference-headers.js';
import type { RequestListener } from '../requests/request-pipeline.js';
import {
  loadPlatform,
  type Platform,
  type PlatformAdapter,
  type PlatformLoaders,
} from './http-adapter.js';
import { quietly } from './quiet-boot.js';

/** The Nest application of the sandbox, initialised; servers of our own feed it. */
export interface SandboxApplication {
  platform: Platform;
  listener: RequestListener;
  close(): Promise<void>;
}

/** Starts the application on the platform that is installed; its reference starts when it is asked for. */
export async function createApplication(
  module: DynamicModule,
  loaders?: PlatformLoaders,
): Promise<SandboxApplication> {
  const platform = await loadPlatform(loaders);
  const { application, listener } = await boot(module, platform);
  const reference = new LazyApplication(() => createReference(application, loaders));
  return {
    platform: platform.adapter.getType() as Platform,
    listener: (request, response) =>
      isReferencePath(request.url ?? '')
        ? reference.listener(request, response)
        : listener(request, response),
    close: async () => {
      await reference.close();
      await application.close();
    },
  };
}

async function createReference(
  sandbox: INestApplication,
  loaders?: PlatformLoaders,
): Promise<Omit<SandboxApplication, 'platform'>> {
  const platform = await loadPlatform(loaders);
  const page = await loadReferencePage(platform.adapter.getType() as Platform);
  // Most sandboxes are never asked, and shall not wait for it.
  const { ReferenceModule } = await import('../reference/reference.module.js');
  const { application, listener } = await boot(ReferenceModule.register(sandbox), platform, page);
  return {
    listener: (request, response) => {
      if (isReferencePage(request.url ?? '')) response.setHeaders(REFERENCE_HEADERS);
      listener(request, response);
    },
    close: () => application.close(),
  };
}

function boot(module: DynamicModule, platform: PlatformAdapter, page?: ReferencePage) {
  return quietly(async () => {
    // A factory of its own: the common one keeps options of the last application that starts.
    const factory = Object.create(NestFactory) as typeof NestFactory;
    const application = await factory.create(module, platform.adapter, {
      abortOnError: false,
      // The buffer is the one of the application under test.
      autoFlushLogs: false,
      bodyParser: false,
    });
    page?.(application);
    await application.init();
    return { application, listener: await platform.listener() };
  });
}
