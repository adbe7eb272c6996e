import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Maximum number of concurrent runs. */
const MAX_DIRECTORIES = 100;

/**
 * The locks of this process. In a restarted container, an earlier process may have had the same
 * pid.
 */
const held = new Set<string>();

/** A directory that only this process uses: two processes would destroy the database in it. */
export class DataDirectory {
  private constructor(
    readonly path: string,
    private readonly lock: string,
  ) {
    // Also if the start fails.
    process.once('exit', this.release);
  }

  /** The preferred directory, or the first free one of `…-2`, `…-3` if other processes use it. */
  static claim(preferred: string): DataDirectory {
    const path = resolve(preferred);
    try {
      for (let n = 1; n <= MAX_DIRECTORIES; n++) {
        const candidate = n === 1 ? path : `${path}-${n}`;
        const lock = takeLock(candidate);
        if (lock !== undefined) return new DataDirectory(candidate, lock);
      }
    } catch (error) {
      throw new Error(`The data directory ${path} cannot be used (${codeOf(error)}).`, {
        cause: error,
      });
    }
    throw new Error(`The data directory ${path} and ${MAX_DIRECTORIES - 1} beside it are in use.`);
  }

  readonly release = (): void => {
    rmSync(this.lock, { force: true });
    held.delete(this.lock);
    process.off('exit', this.release);
  };
}

/**
 * The path of a new file with our pid, which only one process can create; undefined while the owner
 * of the last one is alive. The file of a dead owner is not removed, and the next number counts: if
 * two processes removed it at the same time, the slower one could remove the new lock of the
 * faster.
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
    // Signal 0 only checks. Without a pid, the owner is about to write it.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    // ESRCH: no such process. Any other error does not prove that the owner is gone.
    return codeOf(error) !== 'ESRCH';
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
