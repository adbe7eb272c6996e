import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ResolvePackage, resolvePackage } from '../http/packages.js';
import {
  CONSOLE_ROOT,
  CONTROL_ROOT,
  DOCUMENT_NAME,
  REFERENCE_ROOT,
  VERIFY_PATH,
} from '../http/paths.js';
import { THEME } from './theme.js';

/** The files of the console and their types; `lib/sandbox/console` is their source. */
export const CONSOLE_FILES: Readonly<Record<string, string>> = {
  'console.js': 'text/javascript; charset=utf-8',
  'console.css': 'text/css; charset=utf-8',
};

/** The folder with the files; undefined if this package is not installed as a package, but copied. */
export function findConsole(resolve: ResolvePackage = resolvePackage): string | undefined {
  const manifest = resolve('nestjs-berbix/package.json');
  return manifest && join(dirname(manifest), 'dist', 'console');
}

/** The content of a file of the console; undefined if it is not there. */
export async function readConsoleFile(
  name: string,
  folder = findConsole(),
): Promise<string | undefined> {
  if (folder === undefined || !Object.hasOwn(CONSOLE_FILES, name)) return undefined;
  const content = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  return content !== undefined && name.endsWith('.css') ? THEME + content : content;
}

/**
 * The page; the script replaces its content. Its addresses are relative, since a proxy may have put a
 * prefix before its path.
 */
export const CONSOLE_PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Berbix sandbox</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href=".${CONSOLE_ROOT}/console.css" />
    <script src=".${CONSOLE_ROOT}/console.js" defer></script>
  </head>
  <body>
    <div id="console">
      <main>
        <h1>A local Berbix</h1>
        <p>
          This is the sandbox of nestjs-berbix. Its console needs JavaScript, and the folder
          <code>dist/console</code> of the package. Without it:
        </p>
        <ul>
          <li><a href=".${VERIFY_PATH}">Open a verification</a></li>
          <li><a href=".${REFERENCE_ROOT}/${DOCUMENT_NAME}">The OpenAPI document</a></li>
          <li><a href=".${CONTROL_ROOT}">The operations of the control API</a></li>
        </ul>
      </main>
    </div>
  </body>
</html>
`;

/** The page may load its own files, and call this sandbox. Nothing else. */
export const CONSOLE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};
