import { describe, it } from '@jest/globals';
import { freePort } from '../support/servers.js';
import { expectApproved } from './support/approved.js';
import { Terminal } from './support/terminal.js';

const REDIS = ['--redis', 'redis://host:6379'];
const POSTGRES = ['--postgres', 'postgres://user@host:5432/database'];

/** Wrong flags of the commands that work on a store. */
const OF_TARGET: readonly string[][] = [
  [],
  [...POSTGRES, ...REDIS],
  [...REDIS, '--table', 'tokens'],
  [...POSTGRES, '--prefix', 'tokens:'],
  [...REDIS, '--account', ''],
  ['--postgres', 'host:5432'],
  ['--postgres', 'redis://host'],
  ['--redis', 'postgres://host'],
  ['--redis', 'host'],
  ['--postgres', 'postgres://user:100%@host/database'],
  ['--postgres', 'postgres://user@host/100%'],
  ['--redis', 'redis://100%@host'],
  ['--tabel', 'tokens'],
  ['--redis'],
  ['redis://host'],
];

const OF_STORE: readonly string[][] = [
  ['fix', ...REDIS],
  ['toString', ...REDIS],
  ['show', ...REDIS],
  ['forget', ...REDIS, '--name', 'a', '--customer', 'b'],
  ['show', ...REDIS, '--transaction', '1', '--customer', 'b'],
  ['stats', ...REDIS, '--transaction', '1'],
  ['doctor', ...REDIS, '--customer', 'b'],
  ['ls', ...REDIS, '--name', 'a'],
  ['stats', ...REDIS, '--state', 'dead'],
  ['ls', ...REDIS, '--state', 'deadly'],
];

const OF_TABLE: readonly string[][] = [
  ['drop', ...POSTGRES],
  ['sql', ...POSTGRES],
  ['sql', '--table', 'x; DROP TABLE y'],
  ['sql', '--table', 'a.b.c'],
  ['status'],
  ['migrate'],
  ['migrate', '--postgres', 'host'],
  ['status', ...POSTGRES, '--table', 'x y'],
  ['status', '--redis', 'redis://host'],
];

/** 32 different bytes. */
const KEY = Buffer.from(Array.from({ length: 32 }, (_, byte) => 128 + byte)).toString('base64');
const WRONG_KEYS = [
  'k1',
  `:${KEY}`,
  `k 1:${KEY}`,
  'k1:',
  'k1:abc',
  'k1:AAAA',
  `k1:${'ab'.repeat(32)}`,
  `k1:${'A'.repeat(43)}=`,
  `k1:${Buffer.from('a passphrase of thirty-two bytes').toString('base64')}`,
  `k1:${KEY},k1:${KEY}`,
  `k1:${KEY},`,
];

describe('nestjs-berbix without a server', () => {
  it('says what is wrong with the flags of store', async () => {
    const port = await freePort();
    const terminal = new Terminal().name('port', `${port}`);
    await terminal.run(['store', '--help']);
    for (const flags of OF_TARGET) await terminal.run(['store', 'stats', ...flags]);
    for (const args of OF_STORE) await terminal.run(['store', ...args]);
    await terminal.run(['store', 'stats', '--postgres', `postgres://127.0.0.1:${port}/database`]);
    await terminal.run(['store', 'doctor', '--redis', `redis://127.0.0.1:${port}`]);
    await terminal.run(['store', 'ls', ...REDIS], {
      environment: { BERBIX_ENCRYPTION_KEYS: 'k1' },
      note: 'wrong keys',
    });
    expectApproved('cli/store-flags.txt', terminal.text);
  });

  it('says what is wrong with the flags of re-encrypt', async () => {
    const terminal = new Terminal();
    await terminal.run(['re-encrypt', '--help']);
    for (const flags of OF_TARGET) await terminal.run(['re-encrypt', ...flags]);
    for (const text of [undefined, '', ...WRONG_KEYS]) {
      await terminal.run(['re-encrypt', ...REDIS], {
        environment: { BERBIX_ENCRYPTION_KEYS: text },
        note: `BERBIX_ENCRYPTION_KEYS ${text === undefined ? 'is missing' : `is "${text}"`}`,
      });
    }
    expectApproved('cli/re-encrypt-flags.txt', terminal.text);
  });

  it('says what is wrong with the flags of table', async () => {
    const terminal = new Terminal();
    await terminal.run(['table', '--help']);
    await terminal.run(['table', 'sql']);
    await terminal.run(['table', 'sql', '--table', 'app.tokens']);
    for (const args of OF_TABLE) await terminal.run(['table', ...args]);
    expectApproved('cli/table-flags.txt', terminal.text);
  });
});
