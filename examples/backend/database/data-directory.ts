import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** More runs at once than anybody needs. */
const MOST_SIBLINGS = 100;

/** The locks of this process: after a restart in a container another process had the same pid. */
const held = new Set<string>();

/** A directory for this process alone: two of them would destroy the database in it. */
export class DataDirectory {
  private constructor(
    readonly path: string,
    private readonly lock: string,
  ) {
    // Also when the start fails half-way.
    process.once('exit', () => this.release());
  }

  /** The wanted directory, or, while other processes use it, the next of `…-2`, `…-3` that is free. */
  static claim(wanted: string): DataDirectory {
    const path = resolve(wanted);
    try {
      for (let n = 1; n <= MOST_SIBLINGS; n++) {
        const candidate = n === 1 ? path : `${path}-${n}`;
        const lock = takeLock(candidate);
        if (lock !== undefined) return new DataDirectory(candidate, lock);
      }
    } catch (error) {
      throw new Error(`The data directory ${path} cannot be used (${codeOf(error)}).`, {
        cause: error,
      });
    }
    throw new Error(`The data directory ${path} and ${MOST_SIBLINGS - 1} beside it are in use.`);
  }

  release(): void {
    rmSync(this.lock, { force: true });
    held.delete(this.lock);
  }
}

/**
 * The path of a file with our pid that only one process can have created, or `undefined` while its
 * owner lives. The file of an owner who died stays, and the next number counts: were it removed,
 * two processes could do that at once, the slower one removing the new lock of the faster.
 */
function takeLock(directory: string): string | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (let n = 1; ; n++) {
    const lock = join(directory, `lock-${n}`);
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      held.add(lock);
      return lock;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    if (isHeld(lock)) return undefined;
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (pid === process.pid) return held.has(lock);
    // Signal 0 only asks. No pid: the owner is about to write it.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    // ESRCH: no such process. Anything else is no proof that the owner is gone.
    return codeOf(error) !== 'ESRCH';
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
