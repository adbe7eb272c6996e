import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { BerbixTokenService } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import pg from 'pg';
import { firstValueFrom } from 'rxjs';
import { storeCommand } from '../../lib/cli/store/store.command.js';
import { TokenCipher } from '../../lib/token-store/index.js';
import {
  describeEachOn,
  describeOnPostgres,
  makeTable,
  POSTGRES_URL,
  postgresPool,
} from '../support/servers.js';
import { startServices } from '../support/services.js';
import { until } from '../support/until.js';
import { newKey, tracesOf } from '../token-store/support/encryption.js';
import { COMMAND_STORES, type CommandStore } from './support/command-stores.js';
import { runCommand } from './support/run-command.js';

const key = newKey();
const KEYS = { BERBIX_ENCRYPTION_KEYS: `k1:${key}` };
const NO_KEYS = { BERBIX_ENCRYPTION_KEYS: undefined };

/** No output may show a key or a token. */
const HIDDEN = [...tracesOf(key), 'rt_', 'at_', 'HIDDENWORD'];

async function run(args: string[], environment: Record<string, string | undefined> = KEYS) {
  const ended = await runCommand(storeCommand, args, environment);
  for (const hidden of HIDDEN) expect(ended.stdout + ended.stderr).not.toContain(hidden);
  return ended;
}

describeEachOn(COMMAND_STORES)('nestjs-berbix store, on $name', ({ name: server, open }) => {
  let opened: CommandStore;
  let service: BerbixTokenService;

  beforeEach(async () => {
    opened = await open();
    const services = await startServices({
      apiSecret: 's',
      apiHost: 'http://127.0.0.1:9',
      store: opened.store,
      encryption: { keys: { k1: key }, current: 'k1' },
    });
    service = services.tokens;
    for (const [id, customerUid] of [
      ['1', 'ada'],
      ['2', undefined],
    ] as const) {
      const tokens = sampleTokens({ transactionId: id, refreshToken: `rt_${id}` });
      await firstValueFrom(service.remember({ tokens, customerUid }));
    }
    await markDead('BERBIX_GONE');
  });

  /** What an attempt leaves. */
  async function leaveNote(transaction: string, note: object): Promise<void> {
    const name = `default/transaction/${transaction}`;
    const seen = await opened.store.load(name);
    const lease = await opened.store.lease(name, seen!, 1_000, '');
    const held = { version: seen!.version, leaseEpoch: lease!.leaseEpoch };
    await opened.store.release(name, held, JSON.stringify(note));
  }

  /** The tokens of transaction 2. */
  const markDead = (deadCode: string) =>
    leaveNote('2', { deadCode, failures: 2, notBefore: Date.now() + 60_000 });

  it('counts the records by kind, state and encryption key', async () => {
    const { code, stdout } = await run(['stats', ...opened.args, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      records: { transaction: 2, customer: 1 },
      states: { fresh: 1, 'dead (BERBIX_GONE)': 1, reference: 1 },
      encryptionKeys: { k1: 3 },
    });
    const text = await run(['stats', ...opened.args]);
    expect(text.stdout).toMatch(/^Records\n {2}transaction +2\n {2}customer +1\nStates\n/);
  });

  it('says whether a backoff is over, and what is in doubt then', async () => {
    for (const [leftMs, state] of [
      [60_000, 'cooling'],
      [-60_000, 'outcome unknown'],
    ] as const) {
      await leaveNote('1', { failures: 1, startedAt: 1, notBefore: Date.now() + leftMs });
      const args = ['ls', ...opened.args, '--state', state];
      expect((await run(args)).stdout).toBe(`transaction/1  ${state}  customer ada\n`);
      expect((await run(args, NO_KEYS)).stdout).toBe(`transaction/1  ${state}\n`);
    }
  });

  it('says whether tokens can still be handed out', async () => {
    const now = Date.now();
    const hour = 3_600_000;
    for (const [id, [state, value]] of Object.entries<[string, object][]>([
      ['fresh', { expiresAt: now + hour, refreshAfter: now + hour / 2 }],
      ['stale', { expiresAt: now + hour, refreshAfter: now - hour / 2 }],
      ['expired', { expiresAt: now - hour / 2, refreshAfter: now - hour }],
      ['onRotation pending', { expiresAt: now + hour, pendingRotation: {} }],
      ['refresh token only', {}],
    ] as never)) {
      const text = JSON.stringify({ refreshToken: 'rt_9', ...value });
      await opened.store.commit(`default/transaction/9${id}`, 0, `clear.${text}`);
      const { stdout } = await run(['show', '--transaction', `9${id}`, ...opened.args, '--json']);
      expect(JSON.parse(stdout)).toMatchObject([{ state, encryptionKey: 'none' }]);
    }
    // Whether the application knows of a new refresh token matters more than when it is next used.
    await leaveNote('93', { failures: 1, notBefore: now + hour });
    const { stdout } = await run(['ls', ...opened.args, '--state', 'onRotation pending']);
    expect(stdout).toBe('transaction/93  onRotation pending\n');
  });

  it('shows times, and a lease while there is one', async () => {
    const at = Date.UTC(2030, 0, 2, 3, 4, 5, 6);
    const value = {
      refreshToken: 'rt_9',
      expiresAt: at,
      refreshAfter: at + 1,
      exchangedAt: at + 2,
      templateKey: 'tpk_9',
    };
    const name = 'default/transaction/9';
    await opened.store.commit(name, 0, `clear.${JSON.stringify({ ...value, rotates: true })}`);
    const show = () => run(['show', '--transaction', '9', ...opened.args]);
    const { stdout } = await show();
    expect(stdout).toBe(
      [
        'name              transaction/9',
        'state             fresh',
        'version           1',
        'lease epoch       0',
        'encryption key    none',
        'template          tpk_9',
        'expires           2030-01-02T03:04:05.006Z',
        'stale             2030-01-02T03:04:05.007Z',
        'exchanged         2030-01-02T03:04:05.008Z',
        'rotates           true',
        '',
      ].join('\n'),
    );
    // Another replica tries once more.
    const note = JSON.stringify({ deadCode: 'X', startedAt: at + 3, notBefore: at + 4 });
    await opened.store.lease(name, { version: 1, leaseEpoch: 0 }, 3_600_000, note);
    const leased = (await show()).stdout;
    expect(leased).toMatch(/^state +leased$/m);
    expect(leased).toMatch(/^leased for ms +3[56]\d{5}(\.\d+)?$/m);
    expect(leased).toMatch(/^in doubt since +2030-01-02T03:04:05\.009Z$/m);
    expect(leased).toMatch(/^next attempt +2030-01-02T03:04:05\.010Z$/m);
  });

  it('keeps counts apart from long states, in one column', async () => {
    const code = 'BERBIX_INVALID_REFRESH_TOKEN_OF_ANY_LENGTH';
    await markDead(code);
    const { stdout } = await run(['stats', ...opened.args]);
    expect(stdout).toContain(`  dead (${code})  1\n`);
    const columns = stdout.match(/^ {2}.*\d$/gm)?.map(({ length }) => length);
    expect(columns).toHaveLength(6);
    expect(new Set(columns).size).toBe(1);
  });

  it('knows without the keys which records are dead, and with which key the others are sealed', async () => {
    const { code, stdout } = await run(['stats', ...opened.args, '--json'], NO_KEYS);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      states: { sealed: 2, 'dead (BERBIX_GONE)': 1 },
      encryptionKeys: { k1: 3 },
    });
  });

  it('lists the records, or those of one state', async () => {
    const all = await run(['ls', ...opened.args]);
    expect(all.stdout.trim().split('\n').toSorted()).toEqual([
      'customer/ada  reference',
      'transaction/1  fresh  customer ada',
      'transaction/2  dead (BERBIX_GONE)',
    ]);
    const dead = await run(['ls', ...opened.args, '--state', 'dead', '--json']);
    expect(JSON.parse(dead.stdout)).toEqual({
      name: 'transaction/2',
      state: 'dead (BERBIX_GONE)',
      encryptionKey: 'k1',
      transaction: '2',
    });
    const gone = await run(['ls', ...opened.args, '--state', 'dead (BERBIX_GONE)']);
    expect(gone.stdout).toBe('transaction/2  dead (BERBIX_GONE)\n');
  });

  it('reads every record, however many there are', async () => {
    const names = Array.from({ length: 540 }, (_, id) => `default/customer/c${id}`);
    await Promise.all(names.map((name) => opened.store.commit(name, 0, 'x')));
    const { stdout } = await run(['stats', ...opened.args, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      states: { sealed: 540 },
      encryptionKeys: { k1: 3, unreadable: 540 },
    });
  });

  it('succeeds if no record is in the state, and not if nothing is stored at all', async () => {
    for (const json of [[], ['--json']]) {
      expect(await run(['ls', ...opened.args, '--state', 'leased', ...json])).toEqual({
        code: 0,
        stdout: '',
        stderr: 'No record is in the state leased.\n',
      });
      for (const args of [['ls'], ['ls', '--state', 'dead'], ['stats']]) {
        expect(await run([...args, ...opened.args, '--account', 'other', ...json])).toEqual({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(/^Nothing is stored there\. Check the database, --table/),
        });
      }
    }
  });

  it('tells whose a record is, and shows and forgets it by its name, before the transaction is known', async () => {
    await firstValueFrom(service.remember({ tokens: 'rt_3', customerUid: 'grace' }));
    const { stdout } = await run(['ls', ...opened.args, '--state', 'refresh']);
    expect(stdout).toMatch(/^anonymous\/\S+ {2}refresh token only {2}customer grace\n$/);
    const [name = ''] = stdout.split(' ');
    const shown = await run(['show', '--name', name, ...opened.args, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject([{ name, customer: 'grace' }]);
    const forgotten = await run(['forget', '--name', name, ...opened.args]);
    expect(forgotten.stdout).toMatch(`Removed ${name}, `);
    expect(await run(['show', '--name', name, ...opened.args])).toMatchObject({ code: 1 });
  });

  it('opens, shows and forgets the records of a named account', async () => {
    const cipher = new TokenCipher({ keys: { k1: key }, current: 'k1' }, 'eu/1');
    const name = 'eu%2F1/transaction/5';
    const sealed = await cipher.seal(name, '{"refreshToken":"rt_5","customerUid":"eve"}');
    await opened.store.commit(name, 0, sealed);
    const args = ['--account', 'eu/1', ...opened.args];
    const { stdout } = await run(['ls', ...args]);
    expect(stdout).toBe('transaction/5  refresh token only  customer eve\n');
    expect(await run(['show', '--transaction', '5', ...args])).toMatchObject({ code: 0 });
    expect(await run(['show', '--transaction', '5', ...opened.args])).toMatchObject({ code: 1 });
    expect(await run(['forget', '--transaction', '5', ...args])).toMatchObject({ code: 0 });
    expect((await opened.store.load(name))?.value).toBeUndefined();
  });

  it('lists the transaction of a record that has another name', async () => {
    const value = JSON.stringify({ refreshToken: 'rt_9', transactionId: '9' });
    await opened.store.commit('default/anonymous/a', 0, `clear.${value}`);
    const { stdout } = await run(['ls', ...opened.args, '--state', 'refresh']);
    expect(stdout).toBe('anonymous/a  refresh token only  transaction 9\n');
  });

  it('lists no control sequences, which a terminal would run', async () => {
    await opened.store.commit('default/customer/\u001b[2J', 0, 'x');
    const tokens = sampleTokens({ transactionId: '3', refreshToken: 'rt_3' });
    await firstValueFrom(service.remember({ tokens, customerUid: 'a\u001b[2J' }));
    const { stdout } = await run(['ls', ...opened.args]);
    expect(stdout).toContain('customer/\\u001b[2J  sealed\n');
    expect(stdout).toContain('transaction/3  fresh  customer a\\u001b[2J\n');
    expect(stdout).not.toContain('\u001b');
  });

  it('shows the record of a customer and that of their transaction, without tokens', async () => {
    const { code, stdout } = await run(['show', '--customer', 'ada', ...opened.args, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'customer/ada', state: 'reference', see: 'transaction/1' },
      { name: 'transaction/1', state: 'fresh', transaction: '1', customer: 'ada', version: 1 },
    ]);
    const dead = await run(['show', '--transaction', '2', ...opened.args]);
    expect(dead.stdout).toMatch(/^state +dead \(BERBIX_GONE\)$/m);
    expect(dead.stdout).toMatch(/^failures +2$/m);
    const tokens = sampleTokens({ transactionId: '1', refreshToken: 'rt_other' });
    await firstValueFrom(service.remember({ tokens }));
    const two = await run(['show', '--transaction', '1', ...opened.args, '--json']);
    expect(JSON.parse(two.stdout)).toMatchObject([{ name: 'transaction/1', spares: 1 }]);
    const none = await run(['show', '--transaction', '404', ...opened.args]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/^Nothing is stored for transaction\/404\./);
  });

  it('forgets the same records as the service, and nothing else', async () => {
    const { code, stdout } = await run(['forget', '--customer', 'ada', ...opened.args]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Removed customer\/ada, /),
    });
    const left = await run(['ls', ...opened.args]);
    expect(left.stdout).toBe('transaction/2  dead (BERBIX_GONE)\n');
    const again = await run(['forget', '--customer', 'ada', ...opened.args]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/^Nothing is stored for customer\/ada\./);
  });

  it('closes its connections, also after a failure', async () => {
    const ends = [jest.spyOn(pg.Pool.prototype, 'end'), jest.spyOn(Redis.prototype, 'disconnect')];
    await run(['stats', ...opened.args]);
    await run(['forget', '--customer', 'ada', ...opened.args], NO_KEYS);
    const calls = ends.map(({ mock }) => mock.calls.length);
    for (const end of ends) end.mockRestore();
    expect(calls).toEqual(server === 'Redis' ? [0, 2] : [2, 0]);
  });

  it('forgets nothing that it cannot decrypt, since it would not find all of it', async () => {
    const { code, stdout, stderr } = await run(
      ['forget', '--customer', 'ada', ...opened.args],
      NO_KEYS,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/sealed with the key "k1", but BERBIX_ENCRYPTION_KEYS is not set\. Set/);
    expect((await run(['ls', ...opened.args])).stdout.split('\n')).toHaveLength(4);
  });

  it('forgets no customer whose tokens are sealed with a key that it does not have', async () => {
    // From the time before the encryption.
    await opened.store.commit('default/customer/eve', 0, 'clear.{"see":"transaction/1"}');
    const args = ['forget', '--customer', 'eve', ...opened.args];
    expect(await run(args, NO_KEYS)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^A stored value is sealed with the key "k1", but BERBIX_/),
    });
    const { stdout } = await run(['ls', ...opened.args]);
    expect(stdout).toContain('transaction/1  fresh  customer ada\n');
    expect(stdout).toContain('customer/eve  reference\n');
    expect(await run(args)).toMatchObject({ code: 0 });
  });
});

describeOnPostgres('nestjs-berbix store --postgres', () => {
  it('gives up after half a minute if the server does not answer a statement', async () => {
    const pool = postgresPool();
    const { table } = await makeTable(pool);
    const holder = await pool.connect();
    const waiting = `SELECT 1 FROM pg_locks WHERE relation = '${table}'::regclass AND NOT granted`;
    try {
      await holder.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      // Only waits end early.
      jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'nextTick', 'setImmediate'] });
      const ended = run(['stats', '--postgres', POSTGRES_URL ?? '', '--table', table]);
      await until(async () => (await pool.query(waiting)).rowCount === 1);
      let isOver = false;
      void ended.finally(() => (isOver = true));
      await until(() => {
        jest.advanceTimersByTime(30_000);
        return isOver;
      });
      expect(await ended).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^PostgreSQL cannot be reached, or is too slow or busy\./),
      });
    } finally {
      jest.useRealTimers();
      holder.release(true);
    }
  });
});

describe('nestjs-berbix store', () => {
  it('shows its usage, even for invalid flags', async () => {
    const help = await run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nestjs-berbix store ACTION/);
    expect(await run([])).toEqual(help);
    for (const [args, message] of [
      [['fix'], /^The action must be one of stats, ls, show, forget, doctor\./],
      [['toString', '--redis', 'redis://h'], /^The action must be one of/],
      [['stats'], /^Pass either --postgres or --redis\./],
      [['show', '--redis', 'redis://h'], /^Pass one of --transaction, --customer and --name\./],
      [
        ['show', '--redis', 'redis://h', '--name', 'a', '--customer', 'b'],
        /^Pass one of --transaction, --customer and --name\./,
      ],
      [['ls', '--redis', 'redis://h', '--state', 'deadly'], /^--state must .* one of fresh,/],
      [['ls', '--redis', 'redis://h', '--name', 'a'], /^--transaction, --customer and --name are/],
      [['ls', '--redis', 'redis://h', '--state', 'bogus'], /^--state must .* one of fresh, stale,/],
      [['stats', '--redis', 'redis://h', '--state', 'dead'], /^--state is only for ls\./],
      [['stats', '--rediss', 'redis://:HIDDENWORD@h'], /^Unknown option '--rediss'/],
    ] as const) {
      const wrong = await run([...args]);
      expect(wrong).toMatchObject({ code: 2, stdout: '' });
      expect(wrong.stderr).toMatch(message);
      expect(wrong.stderr).toContain(help.stdout);
    }
  });
});
