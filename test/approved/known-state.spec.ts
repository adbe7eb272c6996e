import { describe, it } from '@jest/globals';
import type { SandboxResult, SandboxState } from 'nestjs-berbix/sandbox';
import { FLAGS } from '../../lib/wire/index.js';
import { RawClient } from '../sandbox/support/raw-client.js';
import { expectApproved } from './support/approved.js';
import { startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

const DAY = Date.UTC(2030, 5, 15);
const ID = '1000000000000001';
const COMPLETED_ID = '1000000000000002';

/** Around the day of these tests. */
const BIRTHS =
  '2012-06-15 2012-06-16 2012-07-15 2012-05-16 2011-12-31 2030-06-15 2030-06-16 2029-12 0001-01-01 ?'.split(
    ' ',
  );

/** A state as a sandbox writes it, and a later version must read. */
const STATE = {
  format: 'nestjs-berbix/sandbox-state',
  version: 1,
  clockOffsetMs: 0,
  signingKey: Buffer.alloc(32, 'key').toString('base64'),
  transactions: [
    {
      id: ID,
      mode: 'live',
      kind: 'hosted',
      customerUid: 'ada',
      createdAt: DAY,
      facialRecognition: false,
      rotation: { generation: 2, rotatedAt: DAY },
      expirations: 1,
      state: { status: 'open', steps: [], flags: [] },
    },
    {
      id: COMPLETED_ID,
      mode: 'test',
      kind: 'apiOnly',
      customerUid: 'grace',
      createdAt: DAY,
      facialRecognition: true,
      idType: 'P',
      rotation: { generation: 0, rotatedAt: DAY },
      state: { status: 'completed', completedAt: DAY, action: 'accept', flags: [], fields: {} },
    },
  ],
} satisfies SandboxState;

describe('a sandbox with what another run knew', () => {
  freezeTime();

  it('issues the same tokens and links', async () => {
    const sandbox = await startKnownSandbox({
      refreshToken: 'echo',
      images: true,
      apiOnlySelfie: 'liveness',
    });
    await sandbox.importState(STATE);
    const { refreshToken, pagePath } = await sandbox.transactions.find(ID);
    const live = new RawClient(sandbox, sandbox.liveApiSecret);
    const { json } = await live.refresh(refreshToken);
    const completed = await sandbox.transactions.find(COMPLETED_ID);
    const client = new RawClient(sandbox);
    const { access_token } = (await client.refresh(completed.refreshToken)).json;
    const { images } = (await client.fetch(access_token)).json;
    const links = JSON.stringify(images, null, 2).replaceAll(sandbox.url, '');
    const facts = { page: pagePath, ...json, images: links };
    const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}\n`);
    expectApproved('known-state.txt', lines.join(''));
  });

  it('decides in the same way', async () => {
    const lines: string[] = [];
    for (const actionMap of [
      undefined,
      { id_under_21: 'call', id_blocked: 'reject', id_duplicate_possible: 'accept' },
    ]) {
      const sandbox = await startKnownSandbox({ actionMap });
      const decide = async (result: SandboxResult) => {
        const { id } = await sandbox.transactions.create({ customerUid: 'ada' });
        const problem = await sandbox.transactions.complete(id, result).catch(String);
        const { action, flags, fields } = await sandbox.transactions.find(id);
        const { age = 'none' } = fields ?? {};
        lines.push(`${JSON.stringify(result)}: ${problem ?? `${action} [${flags}], age ${age}`}\n`);
      };
      for (const action of ['accept', 'reject', 'review', 'call']) await decide({ action });
      for (const flags of [...FLAGS, 'a_new_one']) await decide({ flags: [flags] });
      await decide({ flags: ['id_blocked', 'id_under_21'] });
      await decide({ flags: ['id_expired'], action: 'accept' });
      await decide({ flags: [], action: 'reject' });
      lines.push('\n');
      if (actionMap !== undefined) continue;
      for (const birth of BIRTHS) {
        await decide({ fields: { date_of_birth: birth } });
      }
      lines.push('\n');
    }
    expectApproved('known-results.txt', lines.join(''));
  });

  it('refuses what is no state, and says what is wrong', async () => {
    const sandbox = await startKnownSandbox();
    const [open, completed] = STATE.transactions;
    const states: [what: string, state: object][] = [
      ['another document', {}],
      ['another version', { ...STATE, version: 2 }],
      ['another member', { ...STATE, secret: 1 }],
      ['no clock', { ...STATE, clockOffsetMs: undefined }],
      ['a late clock', { ...STATE, clockOffsetMs: 8e15 }],
      ['an early clock', { ...STATE, clockOffsetMs: -8e15 }],
      ['a short key', { ...STATE, signingKey: 'AAAA' }],
      ['no list', { ...STATE, transactions: {} }],
      ['a transaction twice', { ...STATE, transactions: [open, open] }],
      ['too many', { ...STATE, transactions: Array.from({ length: 100_001 }, () => 0) }],
    ];
    const wrong: Record<string, unknown[]> = {
      id: [7, '0', '01', '9223372036854775808'],
      mode: ['prod'],
      kind: ['SDK'],
      customerUid: [7],
      createdAt: ['now', 8.01e15],
      email: [null],
      phone: [7],
      facialRecognition: ['yes'],
      matchData: [[], { given_name: 7 }],
      idType: ['dl'],
      redirectUrl: [{}],
      rotation: [{}, { generation: -1 }, { generation: 0, rotatedAt: 0, revoked: 1 }],
      expirations: [0.5],
      state: [
        null,
        { status: 'done' },
        { status: 'open', steps: ['upload'] },
        { status: 'open', steps: [], flags: 'none' },
        { status: 'open', steps: [], flags: [], idNumber: 7 },
        { status: 'completed' },
        { ...completed?.state, action: null },
        { ...completed?.state, flags: [7] },
        { ...completed?.state, fields: { age: 7 } },
        { ...completed?.state, note: 7 },
      ],
      secret: ['secret_live_x'],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const spoiled = { ...open, [name]: value };
        const what = `${name} ${JSON.stringify(value)}`;
        states.push([what, { ...STATE, transactions: [completed, spoiled] }]);
      }
    }
    const lines = await Promise.all(
      states.map(async ([what, state]) => {
        const problem = await sandbox.importState(state as SandboxState).catch(String);
        return `${what}: ${problem}\n`;
      }),
    );
    expectApproved('known-state-refused.txt', lines.join(''));
  });
});
