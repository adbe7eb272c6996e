import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { DataDirectory } from '../../lib/sandbox/storage/data-directory.js';
import { loadPglite } from '../../lib/sandbox/storage/postgres-storage.js';
import { temporaryDirectory } from '../support/directories.js';
import { startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

/** The tests use it one after the other: most of their time, a new database sets itself up. */
const DATA = join(temporaryDirectory(), 'a', 'b');
const SECRETS = { apiSecret: 'secret_test_a', liveApiSecret: 'secret_live_a' };

beforeAll(async () => {
  const webhooks = { status: { secret: 'whs_a' } };
  await (await BerbixSandbox.start({ dataDir: DATA, ...SECRETS, webhooks })).close();
});

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

function locksIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('lock'));
}

/** The permissions of a file. */
function modeOf(...path: string[]): string {
  return (statSync(join(...path)).mode & 0o777).toString(8);
}

/** Changes what is in the database. */
async function change(sql: string): Promise<void> {
  const database = await PGlite.create(join(DATA, 'postgres'));
  await database.exec(sql);
  await database.close();
}

describe('the content of a data directory', () => {
  it('is free after its release, also with no lock, or one with the pid of this process', () => {
    const dataDir = temporaryDirectory();
    const claimed = DataDirectory.claim(dataDir);
    rmSync(join(dataDir, 'lock-1'));
    claimed.release();
    writeFileSync(join(dataDir, 'lock-1'), String(process.pid));
    DataDirectory.claim(dataDir).release();
    expect(locksIn(dataDir)).toEqual(['lock-1']);
  });

  it.each([0o755, 0o777])('is private, even in a directory with mode %o', (mode) => {
    const dataDir = temporaryDirectory();
    mkdirSync(join(dataDir, 'postgres'));
    chmodSync(dataDir, mode);
    chmodSync(join(dataDir, 'postgres'), mode);
    const claimed = DataDirectory.claim(dataDir);
    // The database writes files that anybody may read and write: nobody may get to them.
    expect(modeOf(dataDir, 'postgres')).toBe('700');
    expect(modeOf(dataDir, 'lock-1')).toBe('600');
    expect(modeOf(dataDir)).toBe(mode.toString(8));
    claimed.release();
  });

  it('is private before anything is in it', async () => {
    const dataDir = join(temporaryDirectory(), 'new');
    mkdirSync(dataDir, { mode: 0o755 });
    const claimed = DataDirectory.claim(dataDir);
    expect(readdirSync(claimed.database)).toEqual([]);
    expect(modeOf(dataDir, 'postgres')).toBe('700');
    claimed.release();
    const made = DataDirectory.claim(join(dataDir, 'made'));
    expect(modeOf(dataDir, 'made')).toBe('700');
    made.release();
  });

  it('does not follow a link that someone has put there', () => {
    const [dataDir, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
    chmodSync(elsewhere, 0o755);
    symlinkSync(elsewhere, join(dataDir, 'postgres'));
    expect(() => DataDirectory.claim(dataDir)).toThrow(
      /"dataDir" is .*, where postgres is a link;/,
    );
    expect(modeOf(elsewhere)).toBe('755');
    expect(locksIn(dataDir)).toEqual([]);
  });

  it('leaves no lock if the directory cannot be used', () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'postgres'), '');
    expect(() => DataDirectory.claim(dataDir)).toThrow(/"dataDir" is .* cannot be used \(EEXIST\)/);
    expect(locksIn(dataDir)).toEqual([]);
  });
});

describe('a sandbox with a data directory', () => {
  it('continues after a restart', async () => {
    const options = {
      dataDir: DATA,
      largeIds: true,
      refreshToken: 'rotate',
      webhooks: {},
    } as const;
    const first = await startSandbox(options);
    const before = new RawClient(first);
    const kept = await before.create({ customer_uid: 'Zoë \u0000 "q"' });
    const deleted = await before.create();
    await before.delete(deleted.json.access_token);
    const replaced = (await before.create()).json.refresh_token;
    const current = (await before.refresh(replaced)).json.refresh_token;
    const { url: _, ...ready } = first.ready();
    await first.close();

    const second = await startSandbox(options);
    const { url: __, ...again } = second.ready();
    expect(again).toEqual(ready);
    const after = new RawClient(second);
    const id = /"transaction_id":(\d+)/.exec(kept.text)?.[1];
    const refreshed = await after.refresh(kept.json.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(refreshed.text).toContain(`"transaction_id":${id},`);
    for (const token of [kept.json.access_token, refreshed.json.access_token]) {
      const { status, json, text } = await after.fetch(token);
      expect([status, json.customer_uid]).toEqual([200, 'Zoë \u0000 "q"']);
      expect(text).toContain(`"id":${id},`);
    }
    expect((await after.refresh(deleted.json.refresh_token)).status).toBe(410);
    expect((await after.fetch(deleted.json.access_token)).status).toBe(410);
    expect((await after.create()).status).toBe(200);

    // It knows which refresh token is the current one, and lets one of many calls replace it.
    expect((await after.refresh(replaced)).status).toBe(401);
    const answers = await Promise.all(Array.from({ length: 10 }, () => after.refresh(current)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('the data directory', () => {
  it('is created', () => {
    expect(existsSync(join(DATA, 'postgres', 'PG_VERSION'))).toBe(true);
  });

  it('keeps the secrets of the last start', async () => {
    const second = await startSandbox({ dataDir: DATA, apiSecret: 'secret_test_b' });
    const { apiSecret, liveApiSecret, webhookSecrets } = second;
    expect({ apiSecret, liveApiSecret }).toEqual({ ...SECRETS, apiSecret: 'secret_test_b' });
    expect(webhookSecrets.status).toBe('whs_a');
    await second.close();
    const third = await startSandbox({ dataDir: DATA });
    expect(third.apiSecret).toBe('secret_test_b');
    expect(third.webhookSecrets).toEqual(webhookSecrets);
  });

  it('is for one sandbox at a time', async () => {
    const first = await startSandbox({ dataDir: DATA });
    await expect(BerbixSandbox.start({ dataDir: DATA })).rejects.toThrow(
      `The sandbox option "dataDir" is ${DATA}, which process ${process.pid} uses; stop that process, or choose another directory`,
    );
    await first.close();
    expect(locksIn(DATA)).toEqual([]);
    DataDirectory.claim(DATA).release();
  });

  it('can be used again after the process that used it has ended', () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'lock-1'), String(deadPid()));
    // A container that was restarted gives the same pid again.
    writeFileSync(join(dataDir, 'lock-2'), String(process.pid));
    const claimed = DataDirectory.claim(dataDir);
    expect(locksIn(dataDir)).toEqual(['lock-1', 'lock-2', 'lock-3']);
    claimed.release();
  });

  it.each([
    ['what it has written cannot be read', (lock: string) => mkdirSync(lock)],
    ['it has written no number', (lock: string) => writeFileSync(lock, 'x')],
    ['its number is that of no process', (lock: string) => writeFileSync(lock, '0')],
    ['its number is that of a group', (lock: string) => writeFileSync(lock, '-1\n')],
    ['it is about to write its number', (lock: string) => writeFileSync(lock, '')],
  ])('is left to another process if %s', (_, write) => {
    const dataDir = temporaryDirectory();
    write(join(dataDir, 'lock-1'));
    expect(() => DataDirectory.claim(dataDir)).toThrow(
      /which another process uses; .* \(if the process is not a sandbox, remove lock-1 there\)/,
    );
    expect(locksIn(dataDir)).toEqual(['lock-1']);
  });

  it('can be used again after a failed start', async () => {
    const { url } = await startSandbox();
    const port = Number(new URL(url).port);
    await expect(BerbixSandbox.start({ dataDir: DATA, port })).rejects.toThrow('"port"');
    expect(locksIn(DATA)).toEqual([]);
  });

  it('is not touched for other options that cannot be used', async () => {
    const dataDir = temporaryDirectory();
    await expect(BerbixSandbox.start({ dataDir, port: -1 })).rejects.toThrow('"port"');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('is refused with one sentence that says what is wrong', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const broken = temporaryDirectory();
    mkdirSync(join(broken, 'postgres'));
    writeFileSync(join(broken, 'postgres', 'PG_VERSION'), 'x');
    for (const [dataDir, problem] of [
      ['', 'must be the path of a directory'],
      [
        file,
        `is ${file}, which cannot be used (EEXIST); choose a directory that can be written to`,
      ],
      [
        broken,
        `is ${broken}, whose database cannot be opened (PGlite failed to initialize properly); remove that directory to start over, or choose another`,
      ],
    ] as const) {
      await expect(BerbixSandbox.start({ dataDir })).rejects.toMatchObject({
        name: 'SandboxOptionError',
        message: `The sandbox option "dataDir" ${problem}.`,
      });
    }
    expect(locksIn(broken)).toEqual([]);
  });

  it('is not opened by an older version, nor with a content that it cannot use', async () => {
    await change('UPDATE schema_version SET version = version + 1');
    await expect(BerbixSandbox.start({ dataDir: DATA })).rejects.toThrow(
      `is ${DATA}, which a newer version of nestjs-berbix has written; use that one, or`,
    );
    expect(locksIn(DATA)).toEqual([]);
    await change(
      `UPDATE schema_version SET version = version - 1;
       UPDATE identity SET content = (content::jsonb || '{"apiSecret": "wrong"}')::json`,
    );
    await expect(BerbixSandbox.start({ dataDir: DATA })).rejects.toThrow('"apiSecret"');
    expect(locksIn(DATA)).toEqual([]);
  });

  it('needs a package, and says which one', async () => {
    const error = new Error("Cannot find package '@electric-sql/pglite' imported from x");
    const missing = Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
    await expect(loadPglite(() => Promise.reject(missing))).rejects.toThrow(
      'npm install --save-dev @electric-sql/pglite',
    );
    await expect(loadPglite(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
