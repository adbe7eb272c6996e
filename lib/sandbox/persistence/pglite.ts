import { installCommand } from '../server/install-command.js';
import { isMissing } from '../server/missing-package.js';

type Pglite = typeof import('@electric-sql/pglite');

/**
 * PostgreSQL in this process; loaded when asked for, since a sandbox in memory needs none.
 *
 * @throws {Error} that says what to install if `@electric-sql/pglite` is missing
 */
export async function loadPglite(load: () => Promise<Pglite> = importPglite): Promise<Pglite> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, '@electric-sql/pglite')) throw error;
    throw new Error(
      `The sandbox needs a package to keep its data. Run: ${installCommand(['@electric-sql/pglite'])}, or start it without a data directory.`,
      { cause: error },
    );
  }
}

async function importPglite(): Promise<Pglite> {
  return import('@electric-sql/pglite');
}
