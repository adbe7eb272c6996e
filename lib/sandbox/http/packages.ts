import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The `package.json` of an installed package; tests pass others. */
export type ReadManifest = (name: string) => { version: string } | undefined;

/** The command that installs packages for the sandbox; those of Nest in the major version in use. */
export function installCommand(
  names: readonly string[],
  read: ReadManifest = readManifest,
): string {
  const nest = read('@nestjs/core')?.version.split('.', 1)[0];
  const versions = names.map((name) =>
    name.startsWith('@nestjs/') && nest !== undefined ? `${name}@^${nest}` : name,
  );
  return `npm install --save-dev ${versions.join(' ')}`;
}

/** Whether an import failed because this very package is not installed. */
export function isMissing(error: unknown, packageName: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const notFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return notFound && String(message).includes(`'${packageName}'`);
}

/**
 * Imports an optional package.
 *
 * @param purpose completes the sentence "The sandbox needs a package ..."
 * @param alternative completes the sentence "Run: npm install ..., or ..."
 * @throws {Error} that says what to install
 */
export async function importOptional<Package>(
  name: string,
  load: () => Promise<Package>,
  purpose: string,
  alternative: string,
): Promise<Package> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new Error(
      `The sandbox needs a package ${purpose}. Run: ${installCommand([name])}, or ${alternative}.`,
      { cause: error },
    );
  }
}

/** How a file of a package is found, seen from another file; tests have packages that are missing. */
export type ResolvePackage = (file: string, from?: string) => string | undefined;

/**
 * Finds a file of an installed package. The directory of the process comes first, then its program:
 * the two builds of this package have no common way to name their own files.
 */
export const resolvePackage: ResolvePackage = (file, from) => {
  const parents = from === undefined ? [join(process.cwd(), 'index.js'), program()] : [from];
  for (const parent of parents) {
    if (parent === undefined) continue;
    try {
      return createRequire(parent).resolve(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
};

/** Without the links in its path: a global installation has one to its command in another directory. */
function program(): string | undefined {
  const [, path] = process.argv;
  try {
    return path === undefined ? undefined : realpathSync(path);
  } catch {
    return path;
  }
}

function readManifest(name: string): { version: string } | undefined {
  try {
    return createRequire(join(process.cwd(), 'index.js'))(`${name}/package.json`) as {
      version: string;
    };
  } catch {
    return undefined;
  }
}
