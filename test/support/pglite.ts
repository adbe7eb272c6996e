import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

const CACHE = resolve('node_modules/.cache/nestjs-berbix');
const INSTALLED = resolve('node_modules/.package-lock.json');

/** Sizes for a test: PostgreSQL clears its buffers at each start, and copies carry the log with them. */
const SIZES = ['--set=shared_buffers=2MB', '--wal-segsize=1', '--set=wal_recycle=off'];
/** Databases that nobody connects to, each as large as the one that is used. */
const UNUSED = ['template0', 'template1'];

/**
 * An empty PostgreSQL in this process, which keeps its data in memory. The few seconds that a new one
 * needs to set itself up are spent once, on a small template that is kept until the installed packages
 * change.
 */
export async function newPglite(): Promise<PGlite> {
  return PGlite.create({ loadDataDir: new Blob([readFileSync(await template())]) });
}

/** The path of a directory with an empty database, kept like the template: tests use copies of it. */
export async function databaseTemplate(): Promise<string> {
  const file = await template();
  const directory = file.replace(/\.tar$/, '');
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.${randomUUID()}`;
  const loadDataDir = new Blob([readFileSync(file)]);
  await (await PGlite.create({ loadDataDir, dataDir: unfinished })).close();
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process was faster.
    rmSync(unfinished, { recursive: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}

/** The path of a file. Processes that make it concurrently replace it, so it is read at once. */
async function template(): Promise<string> {
  const installed = readFileSync(INSTALLED);
  const made = JSON.stringify([SIZES, UNUSED]);
  const version = createHash('sha256').update(installed).update(made).digest('hex').slice(0, 16);
  const file = join(CACHE, `pglite-${version}.tar`);
  if (existsSync(file)) return file;
  const database = await PGlite.create({ initDbStartParams: SIZES });
  await database.exec('UPDATE pg_database SET datistemplate = false');
  for (const name of UNUSED) await database.exec(`DROP DATABASE ${name}`);
  const dump = await database.dumpDataDir('none');
  await database.close();
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${file}.${randomUUID()}`;
  writeFileSync(unfinished, new Uint8Array(await dump.arrayBuffer()));
  renameSync(unfinished, file);
  return file;
}
