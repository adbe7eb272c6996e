import { describe, expect, it } from '@jest/globals';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { idNumberFrom } from '../../lib/sandbox/transactions/sample-fields.js';
import { startSandbox } from '../support/services.js';
import { FRONT, image } from './support/images.js';
import { RawClient } from './support/raw-client.js';

/** A field whose value came from the photo of the document. */
function fromText(value: string) {
  return field(value, 'text-scan');
}

function field(value: string, type: string) {
  return { value, confidence: 'high', sources: [{ value, type, confidence: 'high' }] };
}

describe('Results', () => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    return new RawClient(await startSandbox(options));
  }

  /** The metadata after an override. */
  async function overridden(client: RawClient, body: object, creation = {}) {
    const { access_token } = (await client.create(creation)).json;
    const answer = await client.override(access_token, { response_payload: 'us-dl', ...body });
    expect(answer).toMatchObject({ status: 204, text: '' });
    return (await client.fetch(access_token)).json;
  }

  describe('PATCH /v0/transactions/override', () => {
    it('completes a transaction', async () => {
      const client = await start();
      client.sandbox.clock.set(Date.UTC(2030, 0, 1));
      const json = await overridden(
        client,
        { flags: ['id_expired', 'made_up'], override_fields: { given_name: 'JANE', pet: 'Rex' } },
        { email: 'jane@example.com', phone: '+14155552671' },
      );
      expect(json).toEqual({
        entity: 'transaction_metadata',
        id: expect.any(Number),
        customer_uid: 'alice',
        action: 'review',
        flags: ['id_expired', 'made_up'],
        fields: {
          given_name: fromText('JANE'),
          middle_name: fromText('QUINCY'),
          family_name: fromText('DOE'),
          date_of_birth: fromText('1990-01-15'),
          sex: fromText('M'),
          age: fromText('39'),
          id_type: fromText('DL'),
          id_number: fromText(expect.stringMatching(/^D\d{8}$/) as never),
          id_issuer: fromText('CA'),
          id_issue_date: fromText('2025-01-15'),
          id_expiry_date: fromText('2035-01-15'),
          address_street: field('123 MAIN ST', 'barcode-scan'),
          address_city: field('SAN FRANCISCO', 'barcode-scan'),
          address_subdivision: field('CA', 'barcode-scan'),
          address_postal_code: field('94114', 'barcode-scan'),
          address_country: field('US', 'barcode-scan'),
          email_address: field('jane@example.com', 'user-input'),
          phone_number: field('+14155552671', 'user-input'),
          pet: fromText('Rex'),
        },
        duplicates: [],
        created_at: expect.stringMatching(/^2030-01-01T/),
        completed_at: expect.stringMatching(/^2030-01-01T/),
        dashboard_url: `https://dashboard.berbix.com/transactions/${json.id}`,
        implementation_info: expect.any(String),
        action_map_results: {
          conditions: [
            { flag: 'id_expired', action: 'review' },
            { flag: 'made_up', action: 'review' },
          ],
        },
      });
    });

    it.each([
      ['us-dl', { id_type: 'DL', id_issuer: 'CA', nationality: undefined, address_country: 'US' }],
      ['us-id', { id_type: 'ID', id_issuer: 'CA', nationality: undefined, address_country: 'US' }],
      [
        'passport',
        { id_type: 'P', id_issuer: 'US', nationality: 'US', address_country: undefined },
      ],
      [
        'us-passport',
        { id_type: 'P', id_issuer: 'US', nationality: 'US', address_country: undefined },
      ],
    ])('has the fields of %s', async (response_payload, expected) => {
      const { fields } = await overridden(await start(), { response_payload });
      const found = fields as Record<string, { value: string } | undefined>;
      const values = Object.keys(expected).map((name) => [name, found[name]?.value]);
      expect(Object.fromEntries(values)).toEqual(expected);
    });

    it.each([
      ['2012-01-02', '17'],
      ['2012-01-01', '18'],
      ['2029-12-31', '0'],
      ['2030-01-02', undefined],
      ['unknown', undefined],
      ['', undefined],
    ])('computes the age of someone born on %j', async (date_of_birth, age) => {
      const client = await start();
      client.sandbox.clock.set(Date.UTC(2030, 0, 1));
      const { fields } = await overridden(client, { override_fields: { date_of_birth } });
      expect((fields as Record<string, unknown>).age).toEqual(
        age === undefined ? undefined : fromText(age),
      );
    });

    it('has the fields of the request rather than derived ones', async () => {
      const override_fields = { age: '7', email_address: 'ada@work.test', phone_number: '1' };
      const creation = { email: 'ada@example.com', phone: '+14155552671' };
      const { fields } = await overridden(await start(), { override_fields }, creation);
      const expected = Object.entries(override_fields).map(([name, value]) => [name, { value }]);
      expect(fields).toMatchObject(Object.fromEntries(expected));
    });

    it.each([
      [[], 'accept'],
      [['id_expired'], 'review'],
      [['id_expired', 'id_blocked'], 'reject'],
      [['id_blocked_possible'], 'reject'],
      [['id_photocopy_detected'], 'reject'],
      [['id_under_18'], 'reject'],
    ])('maps the flags %j to %s', async (flags, action) => {
      expect(await overridden(await start(), { flags })).toMatchObject({ flags, action });
    });

    it('maps flags as configured', async () => {
      const client = await start({
        actionMap: { id_blocked: 'call-them', id_user_confirmed: 'accept' },
      });
      for (const [flags, action] of [
        [['id_user_confirmed'], 'accept'],
        [['id_user_confirmed', 'id_blocked'], 'call-them'],
        [['id_under_18'], 'review'],
      ]) {
        expect((await overridden(client, { flags })).action).toBe(action);
      }
    });

    // Go, Java, PHP.
    it.each([
      { flags: null, override_fields: null },
      { flags: [], override_fields: [] },
    ])('accepts what SDKs send instead of nothing: %j', async (nothing) => {
      expect(await overridden(await start(), nothing)).toMatchObject({ flags: [] });
    });

    it('ends the uploads of a transaction', async () => {
      const client = await start();
      const { access_token, client_token } = (await client.createApiOnly()).json;
      const front = image('document_front', 'flag:id_under_18');
      await client.uploadImages(client_token, [front]);
      await client.override(access_token, { response_payload: 'us-id' });
      expect((await client.fetch(access_token)).json).toMatchObject({
        action: 'accept',
        flags: [],
      });
      const late = await client.uploadImages(client_token, [FRONT]);
      expect(late.json).toEqual({ next_step: 'done', message: expect.any(String) });
    });

    it('is only for incomplete transactions of test mode', async () => {
      const client = await start();
      const body = { response_payload: 'us-dl' };
      const live = new RawClient(client.sandbox, client.sandbox.liveApiSecret);
      const inLiveMode = (await live.create()).json.access_token;
      const refused = await client.override(inLiveMode, body);
      expect(refused.json).toMatchObject({ code: 403, readable: 'not_allowed' });
      expect((await live.fetch(inLiveMode)).json).toMatchObject({ action: '' });
      expect((await live.fetch(inLiveMode)).json).not.toHaveProperty('implementation_info');

      const { access_token } = (await client.create()).json;
      const answers = await Promise.all([1, 2, 3].map(() => client.override(access_token, body)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409, 409]);
      const again = await client.override(access_token, body);
      expect(again.json).toMatchObject({ code: 409, readable: 'wrong_state' });
    });

    it.each([
      [{}, 'response_payload is missing'],
      [{ response_payload: 'fr-dl' }, 'response_payload must be one of us-dl, us-id, passport,'],
      [{ response_payload: 'us-dl', flags: 'id_expired' }, 'flags must be a list'],
      [{ response_payload: 'us-dl', flags: ['ID Expired'] }, 'flags must be a list'],
      [{ response_payload: 'us-dl', flags: [1] }, 'flags must be a list'],
      [{ response_payload: 'us-dl', override_fields: 'x' }, 'override_fields must be an object'],
      [{ response_payload: 'us-dl', override_fields: { age: 5 } }, 'must be an object of strings'],
    ])('refuses %j', async (body, mention) => {
      const client = await start();
      const { access_token } = (await client.create()).json;
      const { status, json } = await client.override(access_token, body);
      expect(status).toBe(400);
      expect(json).toMatchObject({ code: 400, message: expect.stringContaining(mention) });
      expect((await client.fetch(access_token)).json.action).toBe('');
    });
  });

  describe('PATCH /v0/transactions', () => {
    it('changes the action, and nothing else', async () => {
      const client = await start({ actionMap: { id_blocked: 'call-them' } });
      const { access_token } = (await client.create()).json;
      await client.override(access_token, { response_payload: 'us-dl', flags: ['id_expired'] });
      const before = (await client.fetch(access_token)).json;
      for (const body of [
        { action: 'reject', note: 'They were not who they said.' },
        { action: 'accept', note: null },
        { action: 'review' },
        { action: 'call-them', note: '' },
        { action: 'call-them' },
      ]) {
        const { status, json } = await client.update(access_token, body);
        expect(status).toBe(200);
        expect(json).toEqual({ ...before, action: body.action });
        expect((await client.fetch(access_token)).json).toEqual(json);
      }
    });

    it('keeps the note until the next change', async () => {
      const client = await start();
      const { access_token } = (await client.create()).json;
      await client.override(access_token, { response_payload: 'us-dl' });
      await client.update(access_token, { action: 'reject', note: 'They were not who they said.' });
      expect((await client.sandbox.exportState()).transactions).toMatchObject([
        { state: { action: 'reject', note: 'They were not who they said.' } },
      ]);
      await client.update(access_token, { action: 'accept' });
      expect((await client.sandbox.exportState()).transactions).toMatchObject([
        { state: { action: 'accept', note: undefined } },
      ]);
    });

    it.each([
      [{}, 'action is missing'],
      [{ action: '' }, 'action is missing'],
      [{ action: 5 }, 'action must be a string'],
      [{ action: 'approve' }, 'action must be one of accept, reject, review.'],
      [{ action: 'accept', note: 5 }, 'note must be a string'],
    ])('refuses %j', async (body, mention) => {
      const client = await start();
      const { access_token } = (await client.create()).json;
      await client.override(access_token, { response_payload: 'us-dl' });
      const { status, json } = await client.update(access_token, body);
      expect(status).toBe(400);
      expect(json).toMatchObject({ code: 400, message: expect.stringContaining(mention) });
      expect((await client.fetch(access_token)).json.action).toBe('accept');
    });

    it('waits for a result', async () => {
      const client = await start();
      const { access_token } = (await client.create()).json;
      const { status, json } = await client.update(access_token, { action: 'accept' });
      expect(status).toBe(409);
      expect(json).toMatchObject({ code: 409, readable: 'wrong_state' });
    });
  });

  it.each(['client_token', 'refresh_token'])('take no %s', async (kind) => {
    const client = await start();
    const token = (await client.create()).json[kind];
    for (const { status } of [
      await client.update(token, { action: 'accept' }),
      await client.override(token, { response_payload: 'us-dl' }),
    ]) {
      expect(status).toBe(403);
    }
  });

  describe('duplicates', () => {
    it('are others of the same mode who have completed with the same photo ID', async () => {
      const client = await start();
      const card = { override_fields: { id_number: 'D7' } };
      const [first, again, other] = [
        await overridden(client, card),
        await overridden(client, card),
        await overridden(client, card, { customer_uid: 'bob' }),
      ];
      await overridden(client, { override_fields: { id_number: 'D8' } }, { customer_uid: 'carol' });
      await client.create({ customer_uid: 'dave' });
      expect(other.duplicates).toHaveLength(2);
      expect(other.duplicates).toEqual(
        expect.arrayContaining([
          { customer_uid: 'alice', transaction_id: first.id },
          { customer_uid: 'alice', transaction_id: again.id },
        ]),
      );
    });

    it('are listed in the earlier transaction too, until the other one is deleted', async () => {
      const client = await start();
      const complete = async (customer_uid: string) => {
        const { access_token } = (await client.create({ customer_uid })).json;
        const override_fields = { id_number: 'D7' };
        await client.override(access_token, { response_payload: 'us-dl', override_fields });
        return access_token;
      };
      const [alice, bob] = [await complete('alice'), await complete('bob')];
      const seen = async () => (await client.fetch(alice)).json.duplicates;
      expect(await seen()).toEqual([
        { customer_uid: 'bob', transaction_id: (await client.fetch(bob)).json.id },
      ]);
      await client.delete(bob);
      expect(await seen()).toEqual([]);
    });

    it('are found by the same picture, and not by values that the sandbox made up', async () => {
      const client = await start();
      const live = new RawClient(client.sandbox, client.sandbox.liveApiSecret);
      const upload = async (customer_uid: string, picture: string, mode = client) => {
        const created = await mode.createApiOnly({ id_type: 'DL' }, { customer_uid });
        const { access_token, client_token } = created.json;
        await mode.uploadImages(client_token, [image('document_front', picture)]);
        // The number is on the front.
        await mode.uploadImages(client_token, [image('document_back', `of ${customer_uid}`)]);
        return (await mode.fetch(access_token)).json.duplicates;
      };
      expect(await upload('alice', 'one')).toEqual([]);
      expect(await upload('bob', 'other')).toEqual([]);
      expect(await upload('bob', 'one', live)).toEqual([]);
      expect(await upload('carol', 'one')).toEqual([
        { customer_uid: 'alice', transaction_id: expect.any(Number) },
      ]);
      for (const customer_uid of ['dave', 'erin']) {
        expect((await overridden(client, {}, { customer_uid })).duplicates).toEqual([]);
      }
      const nothing = { override_fields: { id_number: '' } };
      await overridden(client, nothing);
      expect((await overridden(client, nothing, { customer_uid: 'bob' })).duplicates).toEqual([]);
    });

    it('are written with all of their digits', async () => {
      const client = await start({ largeIds: true });
      const card = { response_payload: 'us-dl', override_fields: { id_number: 'D7' } };
      const alice = await client.create();
      const bob = await client.create({ customer_uid: 'bob' });
      for (const { json } of [alice, bob]) await client.override(json.access_token, card);
      const id = /"transaction_id":(\d+)/.exec(bob.text)?.[1];
      const { text } = await client.fetch(alice.json.access_token);
      expect(text).toContain(`"duplicates":[{"customer_uid":"bob","transaction_id":${id}}]`);
    });
  });
});

it('the number of a document has eight digits, whatever it comes from', () => {
  const numbers = Array.from({ length: 200 }, (_, source) => idNumberFrom(String(source)));
  for (const number of numbers) expect(number).toMatch(/^D\d{8}$/);
  expect(new Set(numbers).size).toBe(200);
});
