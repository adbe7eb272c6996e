import { describe, it } from '@jest/globals';
import type { SandboxState } from 'nestjs-berbix/sandbox';
import { RawClient } from '../sandbox/support/raw-client.js';
import { expectApproved } from './support/approved.js';
import { startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

const DAY = Date.UTC(2030, 5, 15);
const ID = '1000000000000001';

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
  ],
} satisfies SandboxState;

describe('a sandbox with the key and the transactions of another run', () => {
  freezeTime();

  it('issues the same tokens and links', async () => {
    const sandbox = await startKnownSandbox({ refreshToken: 'echo' });
    await sandbox.importState(STATE);
    const { refreshToken, pageUrl } = await sandbox.transactions.find(ID);
    const live = new RawClient(sandbox, sandbox.liveApiSecret);
    const { json } = await live.refresh(refreshToken);
    const facts = { page: pageUrl, ...json };
    const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}\n`);
    expectApproved('known-state.txt', lines.join(''));
  });
});
