import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { basic, RawClient } from './support/raw-client.js';

/** The same but for its last character. */
function forge(text: string): string {
  return text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
}

describe.each(PLATFORMS)('/v0/transactions on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;

  beforeEach(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
  });

  describe('POST', () => {
    it('answers the tokens of a new transaction', async () => {
      const { status, headers, json } = await client.create();
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      expect(json).toEqual({
        entity: 'transaction_tokens',
        transaction_id: expect.any(Number),
        access_token: expect.stringMatching(/^at_[\w-]{1,197}$/),
        client_token: expect.any(String),
        refresh_token: expect.stringMatching(/^rt_[\w-]{1,197}$/),
        token_type: 'bearer',
        expires_in: 3600,
      });
      expect(json.transaction_id).toBeGreaterThanOrEqual(1e15);
    });

    it('creates another one for the same customer', async () => {
      const [one, other] = [await client.create(), await client.create()];
      expect(one.json.transaction_id).not.toBe(other.json.transaction_id);
      // The database of an application may outlive a sandbox.
      const next = new RawClient(await startSandboxOn(platform));
      expect((await next.create()).json.transaction_id).not.toBe(one.json.transaction_id);
      expect(one.json.refresh_token).not.toBe(other.json.refresh_token);
    });

    it.each([{}, [], { completion_email: '', redirect_url: '' }, { expires_in: 5 }])(
      'makes a hosted one with hosted_options %j',
      async (options) => {
        const template_key = sandbox.templateKeys.hosted;
        const { status, json } = await client.create({ template_key, hosted_options: options });
        expect(status).toBe(200);
        expect(json.hosted_url).toMatch(new RegExp(`^${sandbox.url}/hosted/[0-9a-f]{48}$`));
        expect(json).not.toHaveProperty('first_step');
      },
    );

    it('creates a hosted one with the SDK template too: the examples of SDKs use one key for both', async () => {
      const { status, json } = await client.create({ hosted_options: {} });
      expect(status).toBe(200);
      expect(json.hosted_url).toMatch(/\/hosted\/[0-9a-f]{48}$/);
      const { apiOnly } = sandbox.templateKeys;
      const { json: refused } = await client.create({ template_key: apiOnly, hosted_options: {} });
      expect(refused).toMatchObject({ code: 400, readable: 'invalid_request' });
    });

    it('accepts the consent to facial recognition, unless the account may not send it', async () => {
      const consent = { consents_to_automated_facial_recognition: true };
      expect((await client.create(consent)).status).toBe(200);
      const strict = new RawClient(await startSandboxOn(platform, { facialRecognition: false }));
      const { status, json } = await strict.create(consent);
      expect(status).toBe(403);
      expect(json).toMatchObject({
        readable: 'not_allowed',
        message: expect.stringContaining('consents_to_automated_facial_recognition'),
      });
      // Java's SDK always sends it. [sdk: java]
      const none = { consents_to_automated_facial_recognition: false };
      expect((await strict.create(none)).status).toBe(200);
    });

    it.each([{}, [], { id_country: 'US', id_type: 'DL' }, { id_country: null, id_type: '' }])(
      'makes an API-only one with api_only_options %j',
      async (options) => {
        const template_key = sandbox.templateKeys.apiOnly;
        const { status, json } = await client.create({ template_key, api_only_options: options });
        expect(status).toBe(200);
        expect(json.first_step).toBe('upload_document_front');
        expect(json).not.toHaveProperty('hosted_url');
      },
    );

    it('creates one that is not hosted if the Node SDK omits hosted_options', async () => {
      const { status, json } = await client.create({ template_key: sandbox.templateKeys.hosted });
      expect(status).toBe(200);
      expect(json).not.toHaveProperty('hosted_url');
    });

    it.each([
      // Go
      { email: '', phone: '' },
      // Java
      {
        email: null,
        phone: null,
        hosted_options: null,
        api_only_options: null,
        consents_to_automated_facial_recognition: false,
      },
      // PHP
      { match_data: [] },
      { consents_to_automated_facial_recognition: null },
      { hosted_options: null, match_data: { date_of_birth: null, family_name: '' } },
      { match_data: { given_name: 'JANE' }, email: 'a@example.com', phone: '+1415' },
      { something_new: 1 },
    ])('accepts what SDKs send: %j', async (quirk) => {
      expect((await client.create(quirk)).status).toBe(200);
    });

    it('keeps what the backend knows of the person', async () => {
      const match_data = {
        given_name: 'ADA',
        middle_name: 'KING',
        family_name: 'LOVELACE',
        date_of_birth: '1815-12-10',
        id_expiry_date: '2030-01-01',
      };
      await client.create({ match_data: { ...match_data, pet: 'Rex' } });
      const { transactions } = await sandbox.exportState();
      expect(transactions).toEqual([expect.objectContaining({ matchData: match_data })]);
    });

    it('accepts a number as customer_uid, if it has kept its digits', async () => {
      const created = await client.create({ customer_uid: 42 });
      const { json } = await client.fetch(created.json.access_token);
      expect(json.customer_uid).toBe('42');
      const refused = await client.create({ customer_uid: 2 ** 53 });
      expect(refused.json).toMatchObject({
        code: 400,
        message: expect.stringContaining('Send it as a string'),
      });
    });

    it.each([
      [{ customer_uid: undefined }, 'customer_uid'],
      [{ customer_uid: null }, 'customer_uid'],
      [{ customer_uid: '' }, 'customer_uid'],
      [{ customer_uid: true }, 'customer_uid'],
      [{ customer_uid: {} }, 'customer_uid'],
      [{ template_key: undefined }, 'template_key'],
      [{ template_key: 5 }, 'template_key'],
      [{ template_key: 'tpk_unknown' }, 'template_key'],
      [{ email: 5 }, 'email'],
      [{ phone: [] }, 'phone'],
      [{ consents_to_automated_facial_recognition: 'yes' }, 'consents_to'],
      [{ match_data: 'JANE' }, 'match_data'],
      [{ match_data: { date_of_birth: 1990 } }, 'date_of_birth'],
      [{ hosted_options: 'x' }, 'hosted_options'],
      [{ hosted_options: [1] }, 'hosted_options'],
      [{ hosted_options: { redirect_url: 1 } }, 'redirect_url'],
      [{ hosted_options: { completion_email: 1 } }, 'completion_email'],
      [{ api_only_options: { id_country: 'USA' } }, 'id_country'],
      [{ api_only_options: { id_type: 'X' } }, 'id_type'],
      [{ hosted_options: {}, api_only_options: {} }, 'not both'],
      // The template is the one of the SDK.
      [{ api_only_options: {} }, 'does not match'],
    ])('refuses %j', async (mistake, mention) => {
      const { status, json } = await client.create(mistake);
      expect(status).toBe(400);
      expect(json).toEqual({
        code: 400,
        readable: 'invalid_request',
        message: expect.stringContaining(mention),
      });
    });

    it('refuses the API-only template without its options', async () => {
      const { json } = await client.create({ template_key: sandbox.templateKeys.apiOnly });
      expect(json).toMatchObject({ code: 400, message: expect.stringContaining('does not match') });
    });
  });

  describe('GET', () => {
    it('answers the metadata of an unfinished transaction', async () => {
      sandbox.clock.set(Date.UTC(2030, 0, 1));
      const created = await client.create();
      const { status, json } = await client.fetch(created.json.access_token);
      expect(status).toBe(200);
      expect(json).toEqual({
        entity: 'transaction_metadata',
        id: created.json.transaction_id,
        customer_uid: 'alice',
        action: '',
        flags: [],
        fields: {},
        duplicates: [],
        created_at: expect.stringMatching(/^2030-01-01T00:00:\d\d\.\d{3}Z$/),
        dashboard_url: `https://dashboard.berbix.com/transactions/${created.json.transaction_id}`,
        implementation_info: expect.any(String),
      });
    });

    it.each(['Bearer', 'bearer', 'BEARER', 'Token', 'token'])(
      'takes the scheme %s',
      async (scheme) => {
        const created = await client.create();
        expect((await client.fetch(created.json.access_token, scheme)).status).toBe(200);
      },
    );

    it.each(['client_token', 'refresh_token'])('refuses a %s', async (kind) => {
      const created = await client.create();
      for (const answer of [
        await client.fetch(created.json[kind]),
        await client.delete(created.json[kind]),
      ]) {
        expect(answer.json).toMatchObject({ code: 403, readable: 'wrong_token_kind' });
        expect(answer.status).toBe(403);
      }
    });

    it('refuses a token that is missing, forged or expired', async () => {
      const { json } = await client.create();
      const token = String(json.access_token);
      const refused = [
        await client.send('GET', '/v0/transactions'),
        await client.send('GET', '/v0/transactions', { authorization: 'Bearer' }),
        await client.send('GET', '/v0/transactions', { authorization: basic(sandbox.apiSecret) }),
        await client.fetch('at_'),
        await client.fetch('a.b.c'),
        await client.fetch(forge(token)),
        await client.fetch(`rt_${token.slice(3)}`),
        await client.fetch(forge(String(json.client_token))),
      ];
      sandbox.clock.advance(3600_000);
      refused.push(await client.fetch(token), await client.delete(token));
      for (const answer of refused) {
        expect(answer.status).toBe(401);
        expect(answer.json).toMatchObject({ code: 401, readable: 'invalid_access_token' });
        expect(answer.text).not.toContain(token.slice(3, 20));
      }
    });
  });

  describe('DELETE', () => {
    it('leaves nothing: later calls get 410', async () => {
      const { json } = await client.create();
      const gone = await client.delete(json.access_token, 'Token');
      expect(gone).toMatchObject({ status: 204, text: '' });
      for (const answer of [
        await client.delete(json.access_token),
        await client.fetch(json.access_token),
        await client.refresh(json.refresh_token),
      ]) {
        expect(answer.status).toBe(410);
        expect(answer.json).toMatchObject({ code: 410, readable: 'transaction_gone' });
      }
      sandbox.clock.advance(3_600_000);
      expect((await client.fetch(json.access_token)).status).toBe(401);
      const stranger = await new RawClient(sandbox, sandbox.liveApiSecret).refresh(
        json.refresh_token,
      );
      expect(stranger.status).toBe(401);
    });

    it('accepts the content type that four SDKs send without a body', async () => {
      const { json } = await client.create();
      const call = {
        authorization: `Bearer ${json.access_token}`,
        headers: { 'content-type': 'application/json' },
      };
      expect((await client.send('GET', '/v0/transactions', call)).status).toBe(200);
      expect((await client.send('DELETE', '/v0/transactions', call)).status).toBe(204);
    });
  });

  it.each([false, true])('writes every digit of an id; largeIds %s', async (largeIds) => {
    const numbers = new RawClient(await startSandboxOn(platform, { largeIds }));
    for (let round = 0; round < 3; round += 1) {
      const created = await numbers.create({ customer_uid: '9007199254740993' });
      const id = /"transaction_id":(\d+)[,}]/.exec(created.text)?.[1] ?? '';
      expect(BigInt(id) > 2n ** 53n).toBe(largeIds);
      // A client that goes through a double gets another number, or, with usual ids, the same.
      expect(BigInt(Number(id)) === BigInt(id)).toBe(!largeIds);
      const fetched = await numbers.fetch(created.json.access_token);
      expect(fetched.text).toContain(`"id":${id},"customer_uid":"9007199254740993"`);
      const refreshed = await numbers.refresh(created.json.refresh_token);
      expect(refreshed.text).toContain(`"transaction_id":${id},`);
    }
  });
});
