import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { reEncryptCommand } from '../../lib/cli/re-encrypt.command.js';
import { parseReEncryptFlags } from '../../lib/cli/re-encrypt.flags.js';
import { Progress } from '../../lib/cli/progress.js';
import { openStore, type Drivers } from '../../lib/cli/store/store-connection.js';
import { readStoreTarget } from '../../lib/cli/store/store-target.js';
import { BerbixStoreError } from 'nestjs-berbix';
import { PlaintextCipher } from '../../lib/token-store/encryption/index.js';
import {
  describeEachOn,
  describeOnRedis,
  freePort,
  POSTGRES_URL,
  REDIS_URL,
} from '../support/servers.js';
import { cipherWith, newKey, tracesOf } from '../token-store/support/encryption.js';
import { COMMAND_STORES, type CommandStore } from './support/command-stores.js';
import { runBuilt, runCommand } from './support/run-command.js';

const keys = { new: newKey(), old: newKey() };
const BERBIX_ENCRYPTION_KEYS = `new:${keys.new},old:${keys.old}`;
const [old, current] = [cipherWith({ old: keys.old }), cipherWith(keys)];
const keyOf = (id: number): string => `default/transaction/${id}`;

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const run = async (
  args: string[],
  environment: NodeJS.ProcessEnv = { BERBIX_ENCRYPTION_KEYS },
): Promise<Ended> => withoutTraces(await runCommand(reEncryptCommand, args, environment));

/** Runs the command in a process of its own. */
const runApart = async (args: string[]): Promise<Ended> =>
  withoutTraces(await runBuilt(['re-encrypt', ...args], { BERBIX_ENCRYPTION_KEYS }));

function withoutTraces({ code, stdout, stderr }: Ended): Ended {
  for (const trace of Object.values(keys).flatMap(tracesOf)) {
    expect(stdout + stderr).not.toContain(trace);
  }
  expect(stdout + stderr).not.toContain('HIDDENWORD');
  expect(stderr).not.toContain('    at ');
  return { code, stdout, stderr };
}

/** The URL with a password, which this server does not require. */
function withSecret(url: string | undefined): string {
  const parsed = new URL(url ?? '');
  parsed.password = 'HIDDENWORD';
  return parsed.href;
}

/** The servers, with that password in the flags. */
const SERVERS = COMMAND_STORES.map(({ name, open }) => ({
  name,
  open: async (): Promise<CommandStore> => {
    const { store, args } = await open();
    return { store, args: args.map((arg) => (arg === POSTGRES_URL ? withSecret(arg) : arg)) };
  },
}));

describeEachOn(SERVERS)('nestjs-berbix re-encrypt, of $name', ({ open }) => {
  let opened: CommandStore;
  beforeEach(async () => (opened = await open()));

  async function commit(id: number, cipher: Pick<typeof old, 'seal'> = old): Promise<void> {
    const key = keyOf(id);
    await opened.store.commit(key, 0, await cipher.seal(key, `value ${id}`));
  }

  const stored = async (id: number) => (await opened.store.load(keyOf(id)))?.value ?? '';

  it('re-encrypts values, and reports how many', async () => {
    for (let id = 0; id < 50; id++) await commit(id);
    await commit(50, current);
    const ended = await run(opened.args);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toBe(
      '51 values\n  50 re-encrypted with the current key\n  1 already had it\n  0 left unchanged\n',
    );
    for (let id = 0; id <= 50; id++) {
      expect(await stored(id)).toMatch(/^b1\.new\./);
      expect(await current.open(keyOf(id), await stored(id))).toBe(`value ${id}`);
    }
  });

  it('exits with 1 if values cannot be opened, and names at most twenty', async () => {
    const lost = cipherWith({ lost: newKey() });
    for (let id = 0; id < 25; id++) await commit(id, lost);
    await commit(25);
    const { code, stdout, stderr } = await runApart(opened.args);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^26 values\n {2}1 re-encrypted.*\n.*\n {2}25 left unchanged\n$/);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines[0]).toMatch(
      /^"default\/transaction\/\d+": A stored value is sealed with the key "lost"/,
    );
    expect(lines[20]).toBe('Further failures are only counted.');
    expect(lines[21]).toMatch(/^25 of 26 values could not be re-encrypted/);
    expect(await stored(25)).toMatch(/^b1\.new\./);
  });

  it('encrypts plaintext on request', async () => {
    await commit(1, new PlaintextCipher());
    const refused = await run(opened.args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/is not encrypted, and --accept-plaintext is not set\./);
    expect(await stored(1)).toBe('clear.value 1');
    const ended = await run([...opened.args, '--accept-plaintext']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(await stored(1)).toMatch(/^b1\.new\./);
  });

  it('works on the named account, and says if it is empty', async () => {
    await commit(1);
    const none = await run([...opened.args, '--account', 'shop']);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/^Nothing is stored there for this account\. Check [^\n]+\n$/);
    expect(await stored(1)).toMatch(/^b1\.old\./);
  });
});

describe('nestjs-berbix re-encrypt', () => {
  it.each([
    ['--postgres', 'postgres://user:HIDDENWORD@127.0.0.1', 'PostgreSQL'],
    ['--redis', 'redis://user:HIDDENWORD@127.0.0.1', 'Redis'],
  ])('reports in one sentence that the server does not answer: %s', async (flag, url, name) => {
    const { code, stdout, stderr } = await run([flag, `${url}:${await freePort()}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^${name} cannot be reached.*\\(ECONNREFUSED\\)[^\\n]*\\n$`));
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      'no keys',
      { BERBIX_ENCRYPTION_KEYS: undefined },
      /^The environment variable BERBIX_ENCRYPTION_KEYS is missing.*openssl/,
    ],
    [
      'an invalid key',
      { BERBIX_ENCRYPTION_KEYS: 'k1:abc' },
      /^Entry 1 of the environment variable BERBIX_ENCRYPTION_KEYS has a key that/,
    ],
  ])('%s: one sentence, exit code 1', async (_what, environment, message) => {
    const ended = await run(['--redis', 'redis://127.0.0.1:1'], environment);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(message);
  });

  it('shows its usage, even for invalid flags', async () => {
    const help = await run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nestjs-berbix re-encrypt --postgres URL/);
    expect(help.stdout).toContain('with the current one first and all older ones after it.');
    const wrong = await run(['--postgres', 'postgres://user:HIDDENWORD@']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^--postgres must be a URL such as/);
    expect(wrong.stderr).toContain(help.stdout);
  });

  it.each(['postgres', 'postgresql', 'redis', 'rediss'])('takes %s: URLs', (protocol) => {
    const url = `${protocol}://user:word@host:1/0`;
    const kind = protocol.startsWith('redis') ? 'redis' : 'postgres';
    expect(readStoreTarget({ [kind]: url })).toMatchObject({ target: { kind, url } });
  });

  it.each<[string, string[], RegExp]>([
    ['nothing', [], /^Pass either --postgres or --redis\.$/],
    ['both', ['--postgres', 'postgres://h/d', '--redis', 'redis://h'], /^Pass either/],
    [
      '--table with Redis',
      ['--redis', 'redis://h', '--table', 't'],
      /^--table is only for --postgres/,
    ],
    [
      '--prefix with PostgreSQL',
      ['--postgres', 'postgres://h/d', '--prefix', 'p'],
      /^--prefix is only/,
    ],
    ['an empty account', ['--redis', 'redis://h', '--account', ''], /^--account must not be empty/],
    ['another URL', ['--redis', 'postgres://u:HIDDENWORD@h/d'], /^--redis must be a URL such as/],
    ['another URL', ['--postgres', 'http://u:HIDDENWORD@h/d'], /^--postgres must be a URL such as/],
    ['no URL', ['--postgres', 'HIDDENWORD@h/d'], /^--postgres must be a URL such as/],
    [
      'a stray percent sign for Redis',
      ['--redis', 'redis://u:100%HIDDENWORD@h'],
      /^The URL of --redis has a % that is not percent-encoding\. Write it as %25\.$/,
    ],
    [
      'a stray percent sign for PostgreSQL',
      ['--postgres', 'postgres://u:100%HIDDENWORD@h/d'],
      /^The URL of --postgres has a %/,
    ],
    [
      'a stray percent sign in a path',
      ['--postgres', 'postgres://u@h/100%HIDDENWORD'],
      /^The URL of --postgres has a %/,
    ],
    ['an unknown flag', ['--tabel', 't'], /^Unknown option '--tabel'\.$/],
  ])('refuses %s', (_what, args, problem) => {
    const flags = parseReEncryptFlags(args);
    expect(flags).toEqual({ problem: expect.stringMatching(problem) });
    expect(JSON.stringify(flags)).not.toContain('HIDDENWORD');
  });

  it('says what to install if a driver is missing, but not if it is broken', async () => {
    const missing = (name: string) => async (): Promise<never> => {
      const message = `Cannot find package '${name}' imported from x`;
      throw Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
    };
    const drivers: Drivers = { pg: missing('pg'), ioredis: missing('ioredis') };
    const [url, table, prefix] = ['', undefined, undefined];
    await expect(openStore({ kind: 'postgres', url, table }, drivers)).rejects.toThrow(
      'This command needs a package for PostgreSQL. Run: npm install pg',
    );
    await expect(openStore({ kind: 'redis', url, prefix }, drivers)).rejects.toThrow(
      'This command needs a package for Redis. Run: npm install ioredis',
    );
    const broken = { ...drivers, pg: missing('pg-protocol') };
    await expect(openStore({ kind: 'postgres', url, table }, broken)).rejects.toThrow(
      /'pg-protocol'/,
    );
  });
});

describeOnRedis('nestjs-berbix re-encrypt --redis', () => {
  it('reports in one sentence that the server does not accept the password', async () => {
    const { host } = new URL(REDIS_URL ?? '');
    const { code, stdout, stderr } = await run(['--redis', `redis://nobody:HIDDENWORD@${host}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Redis [^\n]*\(WRONGPASS\)[^\n]*\n$/);
  });
});

describe('the progress of a command', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => void jest.useRealTimers());

  function progressOn(isTTY: boolean) {
    const written: string[] = [];
    const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
    return { written, progress: new Progress({ isTTY, write }) };
  }

  const line = (total: number) => `${total} values so far`;
  const clear = '\r\u001b[K';

  it('rewrites one line on a terminal', () => {
    const { written, progress } = progressOn(true);
    for (let total = 1; total <= 30; total++) {
      jest.advanceTimersByTime(10);
      progress.update(() => line(total));
    }
    progress.failure('a\u001b[2J', new BerbixStoreError('It was altered.'));
    progress.end();
    expect(written).toEqual([
      `${clear}${line(10)}`,
      `${clear}${line(20)}`,
      `${clear}${line(30)}`,
      clear,
      '"a\\u001b[2J": It was altered.\n',
    ]);
  });

  it('writes a line every five seconds elsewhere', () => {
    const { written, progress } = progressOn(false);
    for (let total = 1; total <= 12; total++) {
      jest.advanceTimersByTime(1_000);
      progress.update(() => line(total));
    }
    progress.end();
    expect(written).toEqual([`${line(5)}\n`, `${line(10)}\n`]);
  });
});
