import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { HookServer } from './support/hook-server.js';
import { type Answer, RawClient } from './support/raw-client.js';

/** A transaction, and what one can do with it. */
class Life {
  private constructor(
    readonly client: RawClient,
    readonly id: string,
    readonly created: Record<string, unknown>,
  ) {}

  static async of(sandbox: BerbixSandbox, secret = sandbox.apiSecret): Promise<Life> {
    const client = new RawClient(sandbox, secret);
    const { json } = await client.create();
    return new Life(client, String(json.transaction_id), json);
  }

  simulate(body: unknown): Promise<Answer> {
    return this.client.send('POST', `/sandbox/transactions/${this.id}/simulate`, { body });
  }

  async show(): Promise<Record<string, unknown>> {
    return (await this.client.send('GET', `/sandbox/transactions/${this.id}?secrets=1`)).json;
  }

  /** The status of what a backend and a page can do with these tokens. */
  async statusesOf(tokens: Record<string, unknown>): Promise<[access: number, client: number]> {
    const access = await this.client.fetch(tokens.access_token);
    const path = `/v0/verify?client_token=${tokens.client_token}`;
    return [access.status, (await this.client.send('GET', path)).status];
  }
}

describe.each(PLATFORMS)('POST /sandbox/transactions/{id}/simulate on %s', (platform) => {
  const start = (options?: BerbixSandboxOptions) => startSandboxOn(platform, options);

  describe('complete', () => {
    let sandbox: BerbixSandbox;
    beforeAll(async () => {
      sandbox = await start({ actionMap: { id_expired: 'reject', id_odd: 'escalate' } });
    });
    beforeEach(() => sandbox.reset());

    it.each([
      [{}, { action: 'accept', flags: [] }],
      [{ result: 'accept' }, { action: 'accept', flags: [] }],
      [{ result: 'reject' }, { action: 'reject', flags: ['id_expired'] }],
      [{ result: 'review' }, { action: 'review', flags: ['id_duplicate_possible'] }],
      [{ result: 'escalate' }, { action: 'escalate', flags: ['id_odd'] }],
      [{ flags: ['id_expired'] }, { action: 'reject', flags: ['id_expired'] }],
      [
        { result: 'accept', flags: ['id_expired'] },
        { action: 'accept', flags: ['id_expired'] },
      ],
      [
        { result: 'reject', flags: [] },
        { action: 'reject', flags: [] },
      ],
      [{ fields: { given_name: 'ADA' } }, { action: 'accept', flags: [] }],
    ])('%j has the result %j', async (members, result) => {
      const life = await Life.of(sandbox);
      expect((await life.simulate({ action: 'complete', ...members })).status).toBe(204);
      const name = 'fields' in members ? 'ADA' : 'JOHN';
      expect(await life.show()).toMatchObject({
        ...result,
        state: 'completed',
        fields: { given_name: name, family_name: 'DOE' },
      });
      const { json } = await life.client.fetch(life.created.access_token);
      expect(json).toMatchObject({ ...result, fields: { given_name: { value: name } } });
    });

    it.each([
      [{ action: 5 }, 'action must be a string'],
      [{ action: 'approve' }, 'The action must be one of accept'],
      [{ flags: 'id_expired' }, 'flags must be a list of names such as id_expired'],
      [{ fields: { age: 5 } }, 'fields must be an object of strings'],
      [{ result: 'reject' }, '"result" is not known here'],
    ])('does nothing in the same process for %j', async (result, mention) => {
      const { id } = await sandbox.transactions.create();
      await expect(sandbox.transactions.complete(id, result as object)).rejects.toThrow(mention);
      await expect(sandbox.transactions.find(id)).resolves.toMatchObject({ state: 'open' });
    });

    it('keeps its flags, whatever a test does with its list of them later', async () => {
      const { id } = await sandbox.transactions.create();
      const flags = ['id_expired'];
      await sandbox.transactions.complete(id, { flags });
      flags.push('id_odd');
      await expect(sandbox.transactions.find(id)).resolves.toMatchObject({ flags: ['id_expired'] });
    });

    it('works in live mode, once, and sends the webhooks', async () => {
      const server = await HookServer.start();
      sandbox.webhooks.setUrl('finished', server.url);
      sandbox.webhooks.setUrl('status', server.url);
      const life = await Life.of(sandbox, sandbox.liveApiSecret);
      const body = { action: 'complete', result: 'reject' };
      expect((await life.simulate(body)).status).toBe(204);
      await sandbox.webhooks.settled();
      expect(server.hooks.map((hook) => JSON.parse(hook.body) as unknown)).toMatchObject([
        { action: 'reject' },
        { action: 'reject' },
      ]);
      const again = await life.simulate(body);
      expect([again.status, again.json.readable]).toEqual([409, 'wrong_state']);
      for (const kind of ['finished', 'status'] as const) sandbox.webhooks.setUrl(kind, undefined);
    });
  });

  it.each(['omit', 'echo', 'rotate'] as const)(
    'expire_tokens ends all tokens so far, and no later ones: %s',
    async (refreshToken) => {
      const life = await Life.of(await start({ refreshToken }));
      let tokens = life.created;
      let current = tokens.refresh_token;
      for (let round = 1; round <= 2; round += 1) {
        await expect(life.statusesOf(tokens)).resolves.toEqual([200, 200]);
        expect((await life.simulate({ action: 'expire_tokens' })).status).toBe(204);
        await expect(life.statusesOf(tokens)).resolves.toEqual([401, 401]);
        const refused = await life.client.fetch(tokens.access_token);
        expect(refused.json.message).toContain('has expired');
        tokens = (await life.client.refresh(current)).json;
        current = tokens.refresh_token ?? current;
      }
      await expect(life.statusesOf(tokens)).resolves.toEqual([200, 200]);
    },
  );

  it.each(['omit', 'echo', 'rotate'] as const)(
    'rotate_refresh_token replaces the refresh token: %s',
    async (refreshToken) => {
      const life = await Life.of(await start({ refreshToken }));
      expect((await life.simulate({ action: 'rotate_refresh_token' })).status).toBe(204);
      const { refresh_token: next, ...shown } = await life.show();
      expect(shown).toMatchObject({ generation: 1, refresh_token_state: 'valid' });
      expect(next).not.toBe(life.created.refresh_token);
      const refused = await life.client.refresh(life.created.refresh_token);
      expect([refused.status, refused.json.readable]).toEqual([401, 'invalid_refresh_token']);
      expect(refused.json.message).toContain('replaced by a newer one');
      expect((await life.client.refresh(next)).status).toBe(200);
      await expect(life.statusesOf(life.created)).resolves.toEqual([200, 200]);
    },
  );

  it('rotate_refresh_token respects the grace of the replaced one', async () => {
    const sandbox = await start({ refreshToken: 'rotate', rotationGraceSeconds: 600 });
    sandbox.clock.advance(86_400_000);
    const life = await Life.of(sandbox);
    await life.simulate({ action: 'rotate_refresh_token' });
    expect((await life.client.refresh(life.created.refresh_token)).status).toBe(200);
    sandbox.clock.advance(600_000);
    expect((await life.client.refresh(life.created.refresh_token)).status).toBe(401);
  });

  it.each(['omit', 'echo', 'rotate'] as const)(
    'revoke_refresh_token ends every exchange, and nothing else: %s',
    async (refreshToken) => {
      const life = await Life.of(await start({ refreshToken }));
      for (let times = 1; times <= 2; times += 1) {
        expect((await life.simulate({ action: 'revoke_refresh_token' })).status).toBe(204);
      }
      expect(await life.show()).toMatchObject({
        generation: 0,
        refresh_token: life.created.refresh_token,
        refresh_token_state: 'revoked',
      });
      const { status, json } = await life.client.refresh(life.created.refresh_token);
      expect([status, json.readable]).toEqual([401, 'invalid_refresh_token']);
      expect(json.message).toContain('was revoked');
      await expect(life.statusesOf(life.created)).resolves.toEqual([200, 200]);
      const rotated = await life.simulate({ action: 'rotate_refresh_token' });
      expect([rotated.status, rotated.json.readable]).toEqual([409, 'wrong_state']);
    },
  );

  it('purge deletes everything', async () => {
    const life = await Life.of(await start());
    expect((await life.simulate({ action: 'purge' })).status).toBe(204);
    await expect(life.statusesOf(life.created)).resolves.toEqual([410, 410]);
    expect((await life.client.refresh(life.created.refresh_token)).status).toBe(410);
    expect((await life.simulate({ action: 'purge' })).status).toBe(404);
  });

  it.each([
    [{}, 'The action must be one of complete, expire_tokens, rotate_refresh_token'],
    [{ action: 'accept' }, 'The action must be one of complete'],
    [{ action: ['purge'] }, 'The action must be one of complete'],
    [{ action: 'purge', now: true }, '"now" is not known here'],
    [{ action: 'complete', flag: 'id_expired' }, '"flag" is not known here'],
    [{ action: 'complete', result: 'escalate' }, 'The action must be one of accept'],
    [{ action: 'complete', result: 1 }, 'result must be a string'],
    [{ action: 'complete', flags: ['ID expired'] }, 'flags must be a list of names'],
    [{ action: 'complete', fields: { age: 3 } }, 'fields must be an object of strings'],
    [[], 'must be a JSON object'],
  ])('refuses %j, and changes nothing', async (body, mention) => {
    const life = await Life.of(await start());
    const { status, json } = await life.simulate(body);
    expect(json.message).toContain(mention);
    expect(status).toBe(400);
    expect((await life.show()).state).toBe('open');
  });

  it.each(['complete', 'expire_tokens', 'rotate_refresh_token', 'revoke_refresh_token', 'purge'])(
    'does not %s a transaction that does not exist',
    async (action) => {
      const client = new RawClient(await start());
      for (const id of ['1', '%00']) {
        const path = `/sandbox/transactions/${id}/simulate`;
        const { status, json } = await client.send('POST', path, { body: { action } });
        expect([status, json.readable]).toEqual([404, 'not_found']);
      }
    },
  );
});

describe('sandbox.transactions', () => {
  it('does the same in the process', async () => {
    const sandbox = await startSandbox();
    const life = await Life.of(sandbox);
    const { transactions } = sandbox;
    await transactions.expireTokens(life.id);
    await expect(life.statusesOf(life.created)).resolves.toEqual([401, 401]);
    const next = await transactions.rotateRefreshToken(life.id);
    expect((await life.client.refresh(next)).status).toBe(200);
    await transactions.revokeRefreshToken(life.id);
    expect((await life.client.refresh(next)).status).toBe(401);
    await transactions.complete(life.id, { action: 'reject', fields: { given_name: 'ADA' } });
    expect(await transactions.find(life.id)).toMatchObject({
      action: 'reject',
      // One of the four that lead to it.
      flags: ['id_blocked'],
      fields: { given_name: 'ADA' },
    });
    await expect(transactions.complete(life.id)).rejects.toThrow('is already complete');
    await transactions.purge(life.id);
    await expect(transactions.find(life.id)).rejects.toThrow('no transaction with this id');
  });

  it('remembers in a data directory which tokens have expired', async () => {
    const dataDir = await databaseDirectory();
    const first = await startSandbox({ dataDir });
    const life = await Life.of(first);
    const other = await Life.of(first);
    await first.transactions.expireTokens(life.id);
    const next = await first.transactions.rotateRefreshToken(life.id);
    await first.transactions.revokeRefreshToken(other.id);
    await first.close();
    const client = new RawClient(await startSandbox({ dataDir }));
    expect((await client.fetch(life.created.access_token)).status).toBe(401);
    expect((await client.refresh(life.created.refresh_token)).status).toBe(401);
    expect((await client.refresh(other.created.refresh_token)).status).toBe(401);
    const { json } = await client.refresh(next);
    expect((await client.fetch(json.access_token)).status).toBe(200);
  });
});
