import { beforeEach, it, jest } from '@jest/globals';
import type { BerbixTokenStore } from '../../lib/token-store/index.js';
import {
  describeEachOn,
  describeOnPostgres,
  POSTGRES_URL,
  postgresPool,
  uniqueTable,
} from '../support/servers.js';
import { COMMAND_STORES, type CommandStore } from '../cli/support/command-stores.js';
import { cipherWith } from '../token-store/support/encryption.js';
import { expectApproved } from './support/approved.js';
import { type Start, Terminal } from './support/terminal.js';

/** 32 different bytes. */
const keyFrom = (first: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => first + index)).toString('base64');
const KEYS = { k1: keyFrom(128), k2: keyFrom(160), k3: keyFrom(192) };
const WITH_KEY = { BERBIX_ENCRYPTION_KEYS: `k1:${KEYS.k1}` };
const WITHOUT_KEYS = { BERBIX_ENCRYPTION_KEYS: undefined };

/** Times that have passed, or will not be reached. */
const [PAST, LATER, LAST] = ['2001-01-01', '2999-01-01', '2999-12-31'].map((day) =>
  Date.parse(day),
);

interface Given {
  name: string;
  value: object | string;
  /** The key that seals it. */
  keyId?: keyof typeof KEYS;
  /** What the last attempt has left. */
  note?: object | 'leased';
}

/** The records of an account, each in a state of its own. */
const RECORDS: readonly Given[] = [
  { name: 'customer/ada', value: { see: 'transaction/1' }, keyId: 'k1' },
  {
    name: 'transaction/1',
    value: {
      refreshToken: 'rt_1',
      transactionId: '1',
      customerUid: 'ada',
      templateKey: 'tpk_1',
      accessToken: 'at_1',
      clientToken: 'ct_1',
      exchangedAt: PAST,
      refreshAfter: LATER,
      expiresAt: LAST,
      rotates: true,
      spares: ['rt_2', 'rt_3'],
      supersededHashes: ['hash'],
    },
    keyId: 'k1',
  },
  { name: 'transaction/2', value: { expiresAt: LATER, refreshAfter: PAST } },
  { name: 'transaction/3', value: { expiresAt: PAST } },
  { name: 'transaction/4', value: { transactionId: '4', customerUid: 'a\u001b[2J' } },
  { name: 'transaction/5', value: {}, note: { failures: 3, notBefore: LATER } },
  { name: 'transaction/6', value: {}, note: { startedAt: PAST } },
  { name: 'transaction/7', value: { pendingRotation: 'rt_0', expiresAt: LATER } },
  { name: 'transaction/8', value: {}, note: { deadCode: 'BERBIX_GONE', failures: 1 } },
  { name: 'transaction/9', value: {}, keyId: 'k2' },
  { name: 'transaction/10', value: {}, note: 'leased' },
  { name: 'anonymous/x', value: { transactionId: '10' } },
  { name: 'anonymous/y', value: 'something else' },
];

/** Those of another account, a different number in each state. */
const OF_SHOP: readonly Given[] = [
  ...['1', '2', '3'].map((id) => ({ name: `transaction/${id}`, value: {} })),
  { name: 'customer/ada', value: { see: 'transaction/1' }, keyId: 'k1' },
  { name: 'customer/bob', value: { see: 'transaction/2' }, keyId: 'k1' },
  { name: 'anonymous/x', value: {}, keyId: 'k2' },
];

async function fill(store: BerbixTokenStore, account: string, records = RECORDS): Promise<void> {
  const commit = async ({ name, value, keyId, note }: Given) => {
    const key = `${account}/${name}`;
    const text = JSON.stringify(value);
    const cipher = keyId && cipherWith({ [keyId]: KEYS[keyId] }, account);
    const sealed = cipher ? await cipher.seal(key, text) : `clear.${text}`;
    await store.commit(key, 0, typeof value === 'string' ? value : sealed);
    if (note === undefined) return;
    const lease = await store.lease(key, { version: 1, leaseEpoch: 0 }, 3_600_000, '');
    const held = { version: 1, leaseEpoch: lease?.leaseEpoch ?? 0 };
    if (note !== 'leased') await store.release(key, held, JSON.stringify(note));
  };
  await Promise.all(records.map(commit));
}

/** Servers list records in any order. */
const sorted = (text: string): string => `${text.trimEnd().split('\n').toSorted().join('\n')}\n`;

/** Numbers in JSON, by their names. */
function sortedJson(text: string): string {
  const groups = JSON.parse(text) as Record<string, Record<string, number>>;
  const lines = Object.entries(groups).map(
    ([name, group]) => `${name} ${JSON.stringify(Object.entries(group).toSorted())}\n`,
  );
  return lines.join('');
}

/** The texts are the same on each server. */
describeEachOn(COMMAND_STORES)('nestjs-berbix on $name', ({ open }) => {
  let opened: CommandStore;
  let terminal: Terminal;

  /** Runs a command on the store, with the keys of an application. */
  const run = (args: string[], start: Start = {}) =>
    terminal.run([...args, ...opened.args], { environment: WITH_KEY, ...start });

  beforeEach(async () => {
    opened = await open();
    terminal = new Terminal()
      .name('store', opened.args.join(' '))
      .name('milliseconds', /(?<="leasedForMs":|leased for ms\s+)[\d.]+/g);
  });

  it('store prints the approved texts', async () => {
    const noKeys = { environment: WITHOUT_KEYS, note: 'no keys' };
    await fill(opened.store, 'default');
    await fill(opened.store, 'shop', OF_SHOP);
    await run(['store', 'stats', '--account', 'shop']);
    await run(['store', 'stats', '--account', 'shop', '--json'], { show: sortedJson });
    await run(['store', 'ls'], { show: sorted });
    await run(['store', 'ls'], { ...noKeys, show: sorted });
    await run(['store', 'ls', '--json'], { show: sorted });
    await run(['store', 'ls', '--state', 'dead']);
    await run(['store', 'ls', '--state', 'dead (OTHER']);
    await run(['store', 'show', '--customer', 'ada']);
    await run(['store', 'show', '--customer', 'ada', '--json']);
    for (const { name } of RECORDS) await run(['store', 'show', '--name', name]);
    await run(['store', 'show', '--transaction', '404']);
    await run(['store', 'show', '--customer', 'a\u001b[2J']);
    await run(['store', 'show', '--transaction', 'one']);
    await run(['store', 'forget', '--customer', 'ada'], noKeys);
    await run(['store', 'forget', '--name', 'transaction/9']);
    await run(['store', 'forget', '--name', 'anonymous/y']);
    await run(['store', 'forget', '--customer', 'ada']);
    await run(['store', 'forget', '--customer', 'ada']);
    await run(['store', 'stats', '--account', 'other']);
    await run(['store', 'ls', '--account', 'other', '--state', 'dead']);
    expectApproved('cli/store.txt', terminal.text);
  });

  it('says how far it is if it takes long', async () => {
    await fill(opened.store, 'default', [{ name: 'transaction/1', value: {}, keyId: 'k1' }]);
    // Between two records, enough time passes for a line.
    let time = Math.round(performance.now());
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (time += 5_000));
    try {
      await run(['store', 'ls']);
      await run(['store', 'stats', '--json']);
      await run(['re-encrypt']);
    } finally {
      clock.mockRestore();
    }
    expectApproved('cli/progress.txt', terminal.text);
  });

  it('re-encrypt prints the approved texts', async () => {
    const reEncrypt = (note: string, keys: (keyof typeof KEYS)[], ...flags: string[]) => {
      const value = keys.map((id) => `${id}:${KEYS[id]}`).join();
      const environment = { BERBIX_ENCRYPTION_KEYS: value };
      return run(['re-encrypt', ...flags], { note, environment });
    };
    await fill(opened.store, 'default', [
      { name: 'transaction/1', value: {}, keyId: 'k1' },
      { name: 'transaction/2', value: {}, keyId: 'k2' },
      { name: 'transaction/3', value: {}, keyId: 'k3' },
    ]);
    await reEncrypt('a key is missing', ['k3', 'k1']);
    await opened.store.commit('default/transaction/4', 0, 'clear.{}');
    await reEncrypt('a value is not encrypted', ['k3', 'k2', 'k1']);
    await reEncrypt('it may be', ['k3'], '--accept-plaintext');
    await reEncrypt('again', ['k3']);
    await reEncrypt('another account', ['k3'], '--account', 'other');
    expectApproved('cli/re-encrypt.txt', terminal.text);
  });
});

describeOnPostgres('nestjs-berbix on PostgreSQL alone', () => {
  const table = uniqueTable();
  const role = `${table}_role`;

  it('table prints the approved texts', async () => {
    const pool = postgresPool();
    const url = new URL(POSTGRES_URL ?? '');
    url.username = role;
    const terminal = new Terminal()
      .name('url of another user', url.href)
      .name('url', POSTGRES_URL ?? '')
      .name('table', table);
    const run = (action: string, name = table, address = POSTGRES_URL ?? '') =>
      terminal.run(['table', action, '--postgres', address, '--table', name]);
    await run('status');
    await run('migrate');
    await run('migrate');
    await run('status');
    await pool.query(`COMMENT ON TABLE ${table} IS 'nestjs-berbix table, version 17'`);
    await run('migrate');
    await run('status');
    await pool.query(`DROP TABLE ${table}`);
    await run('migrate', `${table}.tokens`);
    await pool.query(`CREATE ROLE ${role} LOGIN`);
    try {
      await run('migrate', table, url.href);
    } finally {
      await pool.query(`DROP ROLE ${role}`);
    }
    expectApproved('cli/table.txt', terminal.text);
  });
});
