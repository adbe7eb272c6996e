import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { SandboxOptionError } from '../errors/sandbox-option.error.js';

/** The locks of this process: after a restart in a container another process had the same pid. */
const held = new Set<string>();

/** For nobody but the user that runs the sandbox. */
const PRIVATE = 0o700;

/**
 * A directory for one sandbox at a time: two of them would destroy the database in it. What is kept
 * goes into a directory of its own, which nobody else can enter: the database chooses the modes of
 * its files, and others may read the directory that was named.
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
      directory.#close();
      return directory;
    } catch (error) {
      if (error instanceof SandboxOptionError) throw error;
      throw new SandboxOptionError(
        'dataDir',
        `is ${path}, which cannot be used (${codeOf(error)}); choose a directory that can be written to`,
      );
    }
  }

  /** Where the database is. */
  get database(): string {
    return join(this.path, 'postgres');
  }

  release(): void {
    rmSync(this.lock, { force: true });
    held.delete(this.lock);
  }

  /** Also a directory that an earlier run, or somebody else, has left open; of another user's it fails. */
  #close(): void {
    try {
      mkdirSync(this.database, { recursive: true, mode: PRIVATE });
      // Where others may write too, they could lead the database to another directory.
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
 * Creates a file with our pid, which only one process can. The file of an owner who died stays, and
 * the next number counts: were it removed, two processes could do that at once, and the slower one
 * would remove the new lock of the faster.
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

/** Who holds the lock, if it still runs. */
function ownerOf(lock: string): string | undefined {
  try {
    const pid = readFileSync(lock, 'utf8');
    // An owner that is about to write its pid holds the lock too.
    const alive =
      Number(pid) === process.pid ? held.has(lock) : pid === '' || process.kill(Number(pid), 0);
    return alive ? `process ${pid}` : undefined;
  } catch (error) {
    // ESRCH: no such process. Anything else is no proof that the owner is gone.
    return codeOf(error) === 'ESRCH' ? undefined : 'another process';
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
