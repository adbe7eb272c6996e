import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installCommand, type ResolvePackage, resolvePackage } from '../http/packages.js';
import { DOCUMENT_NAME, HOME_PATH, REFERENCE_ROOT } from '../http/paths.js';

/** A file that the page loads: its type, and how its folder is found. */
interface PageFile {
  type: string;
  find: () => string | undefined;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** The files of `swagger-ui-dist` that the page loads, and ours. */
const PAGE_FILES: Readonly<Record<string, PageFile>> = {
  'swagger-ui.css': { type: STYLE, find: findSwaggerUi },
  'swagger-ui-bundle.js': { type: SCRIPT, find: findSwaggerUi },
  'favicon-32x32.png': { type: 'image/png', find: findSwaggerUi },
  'reference.js': { type: SCRIPT, find: findOwnFiles },
  'reference.css': { type: STYLE, find: findOwnFiles },
};

/** A file that the page loads; undefined if there is no such file. */
export async function readPageFile(
  name: string,
): Promise<{ type: string; content: Buffer } | undefined> {
  const file = Object.hasOwn(PAGE_FILES, name) ? PAGE_FILES[name] : undefined;
  const folder = file?.find();
  if (file === undefined || folder === undefined) return undefined;
  return { type: file.type, content: await readFile(join(folder, name)) };
}

/** The folder of our files, which browsers get as they are in the sources. */
function findOwnFiles(resolve: ResolvePackage = resolvePackage): string | undefined {
  const manifest = resolve('nestjs-berbix/package.json');
  return manifest && join(dirname(manifest), 'lib/sandbox/openapi/page');
}

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

/** Shown instead of the page if it cannot be shown; undefined if it can. */
export function pageAdvice(resolve?: ResolvePackage): string | undefined {
  const command = swaggerCommand(resolve);
  const document = `Without it, the OpenAPI document is still at ${REFERENCE_ROOT}/${DOCUMENT_NAME}.\n`;
  if (command !== undefined) {
    return `This page needs another package. Run ${command}, and restart the sandbox. ${document}`;
  }
  if (findOwnFiles(resolve) !== undefined) return undefined;
  return `This page needs files of nestjs-berbix. Start the sandbox in a directory whose node_modules has the package. ${document}`;
}

/** The page; its links are absolute since its own path may end with a slash. */
export const SWAGGER_PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API reference · Berbix sandbox</title>
    <link rel="stylesheet" href="${REFERENCE_ROOT}/swagger-ui.css" />
    <link rel="stylesheet" href="${REFERENCE_ROOT}/reference.css" />
    <link rel="icon" type="image/png" sizes="32x32" href="${REFERENCE_ROOT}/favicon-32x32.png" />
  </head>
  <body>
    <nav><a href="${HOME_PATH}">Back to the console</a></nav>
    <div id="swagger-ui"></div>
    <script src="${REFERENCE_ROOT}/swagger-ui-bundle.js"></script>
    <script type="module" src="${REFERENCE_ROOT}/reference.js"></script>
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
  'X-Frame-Options': 'DENY',
};
