import { dirname } from 'node:path';
import { installCommand, type ResolvePackage, resolvePackage } from '../http/packages.js';
import { DOCUMENT_NAME, REFERENCE_ROOT } from '../http/paths.js';

/** The files of `swagger-ui-dist` that the page loads, and their types. */
export const SWAGGER_FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** The script of the page that starts Swagger UI. */
export const INIT_SCRIPT_NAME = 'swagger-ui-init.js';

/** The directory of Swagger UI, a dependency of `@nestjs/swagger`; undefined if it is not installed. */
export function findSwaggerUi(resolve: ResolvePackage = resolvePackage): string | undefined {
  const swagger = resolve('@nestjs/swagger');
  const manifest = swagger && resolve('swagger-ui-dist/package.json', swagger);
  return manifest && dirname(manifest);
}

/** The command that installs Swagger UI; undefined if it is installed. */
export function swaggerCommand(resolve?: ResolvePackage): string | undefined {
  return findSwaggerUi(resolve) === undefined ? installCommand(['@nestjs/swagger']) : undefined;
}

/** Shown instead of the page if Swagger UI is not installed. */
export function installAdvice(command: string): string {
  return `This page needs another package. Run ${command}, and restart the sandbox. The OpenAPI document is at ${REFERENCE_ROOT}/${DOCUMENT_NAME} without it.\n`;
}

/** The page; its links are absolute since its own path may end with a slash. */
export const SWAGGER_PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Berbix sandbox</title>
    <link rel="stylesheet" href="${REFERENCE_ROOT}/swagger-ui.css" />
    <link rel="icon" type="image/png" sizes="32x32" href="${REFERENCE_ROOT}/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${REFERENCE_ROOT}/swagger-ui-bundle.js"></script>
    <script src="${REFERENCE_ROOT}/${INIT_SCRIPT_NAME}"></script>
  </body>
</html>
`;

/**
 * The page may load its files, use the styles that Swagger UI puts into the markup, and send requests
 * to this sandbox. Nothing else.
 */
export const SWAGGER_PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** The global objects of the page. */
interface PageGlobals {
  ui: { preauthorizeApiKey(scheme: string, token: string): void };
}

interface PageAnswer {
  obj?: { access_token?: string; client_token?: string };
}

/** Uses the tokens of an answer for the next requests. Its text runs in the browser. */
function useTokens(answer: PageAnswer): PageAnswer {
  const { ui } = globalThis as unknown as PageGlobals;
  const { access_token: accessToken, client_token: clientToken } = answer.obj ?? {};
  if (accessToken) ui.preauthorizeApiKey('accessToken', accessToken);
  if (clientToken) ui.preauthorizeApiKey('clientToken', clientToken);
  return answer;
}

/**
 * Keeps the browser from adding its own credentials, for which it would show a login dialog at each
 * 401. Its text runs in the browser.
 */
function omitCredentials(request: object): object {
  return Object.assign(request, { credentials: 'omit' });
}

/** See {@link INIT_SCRIPT_NAME}. */
export const INIT_SCRIPT = `window.ui = SwaggerUIBundle({
  url: '${REFERENCE_ROOT}/${DOCUMENT_NAME}',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor: ${omitCredentials.toString()},
  responseInterceptor: ${useTokens.toString()},
});
`;
