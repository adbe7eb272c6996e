import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { DataDirectory } from '../../lib/sandbox/persistence/data-directory.js';
import { loadPglite } from '../../lib/sandbox/persistence/pglite.js';
import { Directories } from './support/directories.js';
import { PLATFORMS, Sandboxes } from './support/platforms.js';
import { RawClient } from './support/raw-client.js';

const sandboxes = new Sandboxes();
const directories = new Directories();
afterEach(() => sandboxes.closeAll());
afterAll(() => directories.removeAll());

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

describe('What a data directory keeps', () => {
  it.each([0o755, 0o777])('is closed to others, in a directory that is not: %o', async (mode) => {
    const dataDir = await directories.makeWithDatabase();
    chmodSync(dataDir, mode);
    chmodSync(join(dataDir, 'postgres'), mode);
    await sandboxes.start('express', { dataDir });
    // The database writes files that anybody may read and write: nobody may get to them.
    expect(modeOf(dataDir, 'postgres')).toBe('700');
    expect(modeOf(dataDir, 'lock-1')).toBe('600');
    expect(modeOf(dataDir)).toBe(mode.toString(8));
  });

  it('is closed to others before there is anything in it', async () => {
    const dataDir = join(directories.make(), 'new');
    mkdirSync(dataDir, { mode: 0o755 });
    const claimed = DataDirectory.claim(dataDir);
    expect(readdirSync(claimed.database)).toEqual([]);
    expect(modeOf(dataDir, 'postgres')).toBe('700');
    claimed.release();
    const made = DataDirectory.claim(join(dataDir, 'made'));
    expect(modeOf(dataDir, 'made')).toBe('700');
    made.release();
  });

  it('does not follow a link that somebody left in it', () => {
    const [dataDir, elsewhere] = [directories.make(), directories.make()];
    chmodSync(elsewhere, 0o755);
    symlinkSync(elsewhere, join(dataDir, 'postgres'));
    expect(() => DataDirectory.claim(dataDir)).toThrow(
      /"dataDir" is .*, where postgres is a link;/,
    );
    expect(modeOf(elsewhere)).toBe('755');
    expect(locksIn(dataDir)).toEqual([]);
  });

  it('leaves no lock where it cannot be closed', () => {
    const dataDir = directories.make();
    writeFileSync(join(dataDir, 'postgres'), '');
    expect(() => DataDirectory.claim(dataDir)).toThrow(/"dataDir" is .* cannot be used \(EEXIST\)/);
    expect(locksIn(dataDir)).toEqual([]);
  });
});

describe.each(PLATFORMS)('a sandbox with a data directory on %s', (platform) => {
  it('goes on after a restart', async () => {
    const options = { dataDir: await directories.makeWithDatabase(), largeIds: true };
    const first = await sandboxes.start(platform, { ...options, webhooks: {} });
    const before = new RawClient(first);
    const kept = await before.create({ customer_uid: 'Zoë \u0000 "q"' });
    const deleted = await before.create();
    await before.delete(deleted.json.access_token);
    const { url: _, ...ready } = first.ready();
    await first.close();

    const second = await sandboxes.start(platform, { ...options, webhooks: {} });
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
  });

  it('knows which refresh token is the current one', async () => {
    const options: BerbixSandboxOptions = {
      dataDir: await directories.makeWithDatabase(),
      refreshToken: 'rotate',
    };
    const first = await sandboxes.start(platform, options);
    const replaced = (await new RawClient(first).create()).json.refresh_token;
    const current = (await new RawClient(first).refresh(replaced)).json.refresh_token;
    await first.close();
    const client = new RawClient(await sandboxes.start(platform, options));
    expect((await client.refresh(replaced)).status).toBe(401);
    expect((await client.refresh(current)).status).toBe(200);
  });

  it('lets one of many calls rotate', async () => {
    const options: BerbixSandboxOptions = {
      dataDir: await directories.makeWithDatabase(),
      refreshToken: 'rotate',
    };
    const client = new RawClient(await sandboxes.start(platform, options));
    const { refresh_token: token } = (await client.create()).json;
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.refresh(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('the data directory', () => {
  it('keeps the secrets that were given last', async () => {
    const dataDir = await directories.makeWithDatabase();
    const given = { apiSecret: 'secret_test_a', liveApiSecret: 'secret_live_a' };
    const webhooks = { status: { secret: 'whs_a' } };
    await (await BerbixSandbox.start({ dataDir, ...given, webhooks })).close();
    const second = await sandboxes.start('express', { dataDir, apiSecret: 'secret_test_b' });
    const { apiSecret, liveApiSecret, webhookSecrets } = second;
    expect({ apiSecret, liveApiSecret }).toEqual({ ...given, apiSecret: 'secret_test_b' });
    expect(webhookSecrets.status).toBe('whs_a');
    await second.close();
    const third = await sandboxes.start('express', { dataDir });
    expect(third.apiSecret).toBe('secret_test_b');
    expect(third.webhookSecrets).toEqual(webhookSecrets);
  });

  it('is made', async () => {
    const dataDir = join(directories.make(), 'a', 'b');
    await sandboxes.start('express', { dataDir });
    expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
  });

  it('is for one sandbox at a time', async () => {
    const dataDir = await directories.makeWithDatabase();
    const first = await sandboxes.start('express', { dataDir });
    await expect(BerbixSandbox.start({ dataDir })).rejects.toThrow(
      `The sandbox option "dataDir" is ${dataDir}, which process ${process.pid} uses; stop that process, or choose another directory`,
    );
    await first.close();
    expect(locksIn(dataDir)).toEqual([]);
    await sandboxes.start('express', { dataDir });
  });

  it('is free when the process that used it is gone', async () => {
    const dataDir = await directories.makeWithDatabase();
    writeFileSync(join(dataDir, 'lock-1'), String(deadPid()));
    // A container that was restarted gives the same pid again.
    writeFileSync(join(dataDir, 'lock-2'), String(process.pid));
    await sandboxes.start('express', { dataDir });
    expect(locksIn(dataDir)).toEqual(['lock-1', 'lock-2', 'lock-3']);
  });

  it('is free again when the start fails', async () => {
    const dataDir = await directories.makeWithDatabase();
    const { url } = await sandboxes.start('express');
    const port = Number(new URL(url).port);
    await expect(BerbixSandbox.start({ dataDir, port })).rejects.toThrow('"port"');
    expect(locksIn(dataDir)).toEqual([]);
  });

  it('is not touched for other options that cannot be used', async () => {
    const dataDir = directories.make();
    await expect(BerbixSandbox.start({ dataDir, port: -1 })).rejects.toThrow('"port"');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('says what is wrong with it, in one sentence', async () => {
    const directory = directories.make();
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const broken = await directories.makeWithDatabase();
    writeFileSync(join(broken, 'postgres', 'global', 'pg_control'), 'x');
    for (const [dataDir, problem] of [
      ['', 'must be the path of a directory'],
      [
        file,
        `is ${file}, which cannot be used (EEXIST); choose a directory that can be written to`,
      ],
      [
        broken,
        `is ${broken}, whose database cannot be opened; remove that directory to start over, or choose another`,
      ],
    ] as const) {
      await expect(BerbixSandbox.start({ dataDir })).rejects.toMatchObject({
        name: 'SandboxOptionError',
        message: `The sandbox option "dataDir" ${problem}.`,
      });
    }
    expect(locksIn(broken)).toEqual([]);
  });

  it('is not opened by an older version', async () => {
    const dataDir = await directories.makeWithDatabase();
    await (await BerbixSandbox.start({ dataDir })).close();
    const database = await PGlite.create(join(dataDir, 'postgres'));
    await database.exec('UPDATE schema_version SET version = version + 1');
    await database.close();
    await expect(BerbixSandbox.start({ dataDir })).rejects.toThrow(
      `is ${dataDir}, which a newer version of nestjs-berbix has written; use that one, or`,
    );
  });

  it('needs a package, and says which', async () => {
    const error = new Error("Cannot find package '@electric-sql/pglite' imported from x");
    const missing = Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
    await expect(loadPglite(() => Promise.reject(missing))).rejects.toThrow(
      'npm install --save-dev @electric-sql/pglite',
    );
    await expect(loadPglite(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
