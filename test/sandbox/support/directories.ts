import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

/** Directories made by a spec; `removeAll` goes into `afterAll`, after the sandboxes are closed. */
export class Directories {
  readonly #paths: string[] = [];
  #database: Promise<string> | undefined;

  make(): string {
    const path = mkdtempSync(join(tmpdir(), 'nestjs-berbix-test-'));
    this.#paths.push(path);
    return path;
  }

  /** One with an empty database, which takes a while to be made: it is made once, and copied. */
  async makeWithDatabase(): Promise<string> {
    const path = this.make();
    this.#database ??= this.#makeDatabase();
    cpSync(await this.#database, join(path, 'postgres'), { recursive: true });
    return path;
  }

  removeAll(): void {
    for (const path of this.#paths.splice(0)) rmSync(path, { recursive: true, force: true });
  }

  async #makeDatabase(): Promise<string> {
    const path = this.make();
    await (await PGlite.create(path)).close();
    return path;
  }
}
