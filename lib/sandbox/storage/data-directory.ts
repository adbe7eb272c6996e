import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { SandboxOptionError } from '../options.js';

/** Locks of this process: after the restart of a container, its pid may be that of an old lock. */
const held = new Set<string>();

/** Only the current user has access. */
const PRIVATE = 0o700;

/**
 * A directory that one sandbox at a time can use, since two would destroy the database in it. The
 * database has its own private directory: it creates files that everybody can read, and the named
 * directory may be open to others.
 */
export class DataDirectory {
  private constructor(
    readonly path: string,
    private readonly lock: string,
  ) {}

  /** @throws {SandboxOptionError} if it is in use, or cannot be used at all */
  static claim(wanted: string): DataDirectory {
    const path = resolve(wanted);
    try {
      mkdirSync(path, { recursive: true, mode: PRIVATE });
      const directory = new DataDirectory(path, takeLock(path));
      directory.#makePrivate();
      return directory;
    } catch (error) {
      if (error instanceof SandboxOptionError) throw error;
      throw new SandboxOptionError(
        'dataDir',
        `is ${path}, which cannot be used (${codeOf(error)}); choose a directory that can be written to`,
      );
    }
  }

  /** The directory of the database. */
  get database(): string {
    return join(this.path, 'postgres');
  }

  release(): void {
    rmSync(this.lock, { force: true });
    held.delete(this.lock);
  }

  /** Makes the directory private, even an existing one; fails for a directory of another user. */
  #makePrivate(): void {
    try {
      mkdirSync(this.database, { recursive: true, mode: PRIVATE });
      // Others who may write here could redirect the database to another directory.
      if (lstatSync(this.database).isSymbolicLink()) {
        throw new SandboxOptionError(
          'dataDir',
          `is ${this.path}, where postgres is a link; remove the link, or choose another directory`,
        );
      }
      chmodSync(this.database, PRIVATE);
    } catch (error) {
      this.release();
      throw error;
    }
  }
}

/**
 * Creates a file with our pid, which only one process can do. The file of a dead owner stays, and the
 * next number is tried: if two processes removed it, the slower one would remove the new lock of the
 * faster one.
 */
function takeLock(directory: string): string {
  for (let number = 1; ; number += 1) {
    const lock = join(directory, `lock-${number}`);
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
      held.add(lock);
      return lock;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const owner = ownerOf(lock);
    if (owner !== undefined) {
      throw new SandboxOptionError(
        'dataDir',
        `is ${directory}, which ${owner} uses; stop that process, or choose another directory (if the process is not a sandbox, remove ${basename(lock)} there)`,
      );
    }
  }
}

/** The owner of the lock, if it is still running. */
function ownerOf(lock: string): string | undefined {
  try {
    const pid = readFileSync(lock, 'utf8');
    // The owner is about to write its pid. 0 and negative numbers would stand for groups of processes.
    if (!/^[1-9]\d*$/.test(pid)) return 'another process';
    const alive = Number(pid) === process.pid ? held.has(lock) : process.kill(Number(pid), 0);
    return alive ? `process ${pid}` : undefined;
  } catch (error) {
    // ESRCH: no such process. Any other error does not prove that the owner is gone.
    return codeOf(error) === 'ESRCH' ? undefined : 'another process';
  }
}

/** The code of an error of the system; the message of any other. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
