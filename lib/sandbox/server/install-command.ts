import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The `package.json` of a package that may be installed where the process runs; tests have others. */
export type ReadManifest = (name: string) => Manifest | undefined;

interface Manifest {
  version: string;
  peerDependencies?: Record<string, string>;
}

/** The command that installs packages for the sandbox, in versions that fit the installed Nest. */
export function installCommand(
  names: readonly string[],
  read: ReadManifest = readManifest,
): string {
  return `npm install --save-dev ${names.map((name) => withVersion(name, read)).join(' ')}`;
}

/** What the latest version fits is the latest Nest, which is not always the one that is there. */
function withVersion(name: string, read: ReadManifest): string {
  const range = rangeOf(name, read);
  return range === undefined ? name : `${name}@${range}`;
}

function rangeOf(name: string, read: ReadManifest): string | undefined {
  if (name.startsWith('@nestjs/')) {
    const major = read('@nestjs/core')?.version.split('.', 1)[0];
    return major === undefined ? undefined : `^${major}`;
  }
  // The latest of several; a shell would take the others for commands.
  const ranges = read('@nestjs/platform-fastify')?.peerDependencies?.[name];
  return ranges?.split('||').at(-1)?.trim();
}

function readManifest(name: string): Manifest | undefined {
  try {
    // A path that need not exist: packages are looked for from its directory upwards.
    return createRequire(join(process.cwd(), 'index.js'))(`${name}/package.json`) as Manifest;
  } catch {
    return undefined;
  }
}
