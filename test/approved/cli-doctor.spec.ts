import { afterEach, beforeEach, describe, it, jest } from '@jest/globals';
import { BerbixStoreError } from 'nestjs-berbix';
import type { OpenedStore } from '../../lib/cli/store/store-connection.js';
import { checkStore } from '../../lib/cli/store/store-doctor.js';
import { runCommand } from '../cli/support/run-command.js';
import { expectApproved } from './support/approved.js';

/** The local time, and what a healthy server answers at that time. */
const NOW = 1_700_000_000_000;

const POSTGRES = {
  version: 170_002,
  standby: false,
  isolation: 'read committed',
  fsync: 'on',
  synchronous_commit: 'on',
  exists: true,
  now: NOW,
};

const REDIS = {
  info: 'redis_version:7.4.1\r\nrole:master\r\n',
  time: [`${NOW / 1000}`, '0'],
  'maxmemory-policy': 'noeviction',
  appendonly: 'yes',
  appendfsync: 'always',
};

/** A refusal of the server, such as of a command that the user may not run. */
const refuse = async (): Promise<never> => Promise.reject(new Error('NOPERM'));

function postgres(changes: Partial<typeof POSTGRES> = {}, missing: string[] = []) {
  const query = async (text: string) => ({
    rows: text.includes('has_table_privilege')
      ? missing.map((privilege) => ({ privilege }))
      : [{ ...POSTGRES, ...changes }],
  });
  return { kind: 'postgres', client: { query } };
}

function redis(changes: { [Name in keyof typeof REDIS]?: (typeof REDIS)[Name] | undefined } = {}) {
  const answers = { ...REDIS, ...changes };
  const client = {
    time: async () => answers.time,
    info: async () => answers.info ?? refuse(),
    config: async (_: 'GET', name: 'appendonly') => {
      return answers[name] === undefined ? refuse() : [name, answers[name]];
    },
  };
  return { kind: 'redis', client };
}

const unreachable = new BerbixStoreError('The table app.tokens is missing.');

/** A server of each kind that is not as it should be. The servers of the tests are not ours to configure. */
const SERVERS: [what: string, server: object, problem?: Error][] = [
  ['a healthy PostgreSQL', postgres()],
  ['PostgreSQL 11', postgres({ version: 110_000 })],
  ['PostgreSQL 10', postgres({ version: 109_999 })],
  ['a standby', postgres({ standby: true })],
  ['serializable', postgres({ isolation: 'serializable' })],
  ['repeatable read', postgres({ isolation: 'repeatable read' })],
  ['fsync off', postgres({ fsync: 'off' })],
  ['synchronous_commit off', postgres({ synchronous_commit: 'off' })],
  ['synchronous_commit local', postgres({ synchronous_commit: 'local' })],
  ['a clock that is ahead', postgres({ now: NOW + 5_000 })],
  ['a clock that is behind', postgres({ now: NOW - 61_600 })],
  ['a clock that is a little ahead', postgres({ now: NOW + 4_999 })],
  ['a user without privileges', postgres({}, ['INSERT', 'DELETE'])],
  ['no table', postgres({ exists: false }, ['SELECT']), unreachable],
  ['a healthy Redis', redis()],
  ['Redis 6', redis({ info: 'redis_version:6.0.0\r\nrole:master\r\n' })],
  ['Redis 5', redis({ info: 'redis_version:5.9.9\r\nrole:master\r\n' })],
  ['a replica', redis({ info: 'redis_version:7.4.1\r\nrole:slave\r\n' })],
  ['no INFO', redis({ info: undefined })],
  ['an eviction policy', redis({ 'maxmemory-policy': 'allkeys-lru' })],
  ['no log', redis({ appendonly: 'no' })],
  ['a log that is written later', redis({ appendfsync: 'everysec' })],
  [
    'no CONFIG',
    redis({ 'maxmemory-policy': undefined, appendonly: undefined, appendfsync: undefined }),
  ],
  ['a clock of Redis that is ahead', redis({ time: [`${NOW / 1000 + 4}`, '999999'] })],
  ['a clock of Redis that differs', redis({ time: [`${NOW / 1000 + 4}`, '1000000'] })],
];

describe('what nestjs-berbix store doctor finds', () => {
  beforeEach(() => void jest.spyOn(Date, 'now').mockReturnValue(NOW));
  afterEach(() => void jest.restoreAllMocks());

  async function check(server: object, json: boolean, problem?: Error) {
    const store = { check: async () => problem && Promise.reject(problem) };
    const opened = { ...server, table: 'app.tokens', store } as unknown as OpenedStore;
    return runCommand(() => checkStore(opened, json), []);
  }

  it('is shown as text', async () => {
    const healthy = new Set<string>();
    const parts: string[] = [];
    for (const [what, server, problem] of SERVERS) {
      const { code, stdout } = await check(server, false, problem);
      const lines = stdout.trimEnd().split('\n');
      // Of the others, only what is not as in a healthy server.
      const shown = lines.filter((line) => what.includes('healthy') || !healthy.has(line));
      if (what.includes('healthy')) for (const line of lines) healthy.add(line);
      parts.push([`# ${what}: exit code ${code}`, ...shown, ''].join('\n'));
    }
    expectApproved('cli/store-doctor.txt', parts.join('\n'));
  });

  it('is shown as JSON', async () => {
    const { code, stdout } = await check(postgres({ fsync: 'off' }), true);
    expectApproved('cli/store-doctor-json.txt', `${stdout}exit code ${code}\n`);
  });
});
