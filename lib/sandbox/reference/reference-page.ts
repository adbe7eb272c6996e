import type { INestApplication } from '@nestjs/common';
import type { Platform } from '../server/http-adapter.js';
import { installCommand } from '../server/install-command.js';
import { isMissing } from '../server/missing-package.js';
import { DOCUMENT_NAME, REFERENCE_ROOT } from './reference-path.js';
import { omitCredentials, useTokens } from './use-tokens.js';

/** Puts the page into an application that has not been initialised yet. */
export type ReferencePage = (application: INestApplication) => void;

/** How a package is imported; tests have some that are missing. */
export type ImportPackage = (name: string) => Promise<unknown>;

const SWAGGER = '@nestjs/swagger';
/** What it needs on each platform; it ends the process where that is missing. */
const NEEDED: Record<Platform, readonly string[]> = {
  express: [SWAGGER],
  fastify: [SWAGGER, '@fastify/static'],
};

/** Swagger UI, or a page that says what to install for it. */
export async function loadReferencePage(
  platform: Platform,
  importPackage?: ImportPackage,
): Promise<ReferencePage> {
  const command = await commandForReference(platform, importPackage);
  return command === undefined ? swaggerUi() : adviceToInstall(command);
}

/** The command that installs what the page needs and has not; `undefined` if there is nothing. */
export async function commandForReference(
  platform: Platform,
  importPackage: ImportPackage = (name) => import(name),
): Promise<string | undefined> {
  const missing: string[] = [];
  for (const name of NEEDED[platform]) {
    if (!(await isInstalled(name, importPackage))) missing.push(name);
  }
  return missing.length === 0 ? undefined : installCommand(missing);
}

async function isInstalled(name: string, importPackage: ImportPackage): Promise<boolean> {
  try {
    await importPackage(name);
    return true;
  } catch (error) {
    if (isMissing(error, name)) return false;
    throw error;
  }
}

async function swaggerUi(): Promise<ReferencePage> {
  const { SwaggerModule } = await import('@nestjs/swagger');
  return (application) => {
    // Given an empty document, the page fetches the one that is named.
    SwaggerModule.setup(REFERENCE_ROOT, application, () => ({}) as never, {
      raw: false,
      swaggerUrl: `${REFERENCE_ROOT}/${DOCUMENT_NAME}`,
      customSiteTitle: 'Berbix sandbox',
      swaggerOptions: {
        tryItOutEnabled: true,
        defaultModelsExpandDepth: 0,
        requestInterceptor: omitCredentials,
        responseInterceptor: useTokens,
      },
    });
  };
}

function adviceToInstall(command: string): ReferencePage {
  const advice = `This page needs more packages. Run ${command}, and restart the sandbox. The OpenAPI document is at ${REFERENCE_ROOT}/${DOCUMENT_NAME} without them too.\n`;
  return (application) => {
    const adapter = application.getHttpAdapter();
    adapter.get(REFERENCE_ROOT, (_request: unknown, response: unknown) => {
      adapter.setHeader(response, 'Content-Type', 'text/plain; charset=utf-8');
      adapter.reply(response, advice, 501);
    });
  };
}
