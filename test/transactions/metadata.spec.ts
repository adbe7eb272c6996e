import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BerbixTokens } from 'nestjs-berbix';
import type { ApiJson } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

const FULL = {
  entity: 'transaction_metadata',
  id: 9007199254740993n,
  customer_uid: 'ada',
  action: 'an-action-of-the-account',
  flags: ['id_expired', 'a_flag_from_next_year'],
  fields: {
    given_name: {
      value: 'ADA',
      confidence: 'high',
      sources: [{ value: 'ADA', type: 'text-scan', confidence: 'high' }],
    },
    a_field_from_next_year: { value: 'X' },
    address_street: { value: '' },
    address_unit: null,
  },
  images: { front: { full_image: 'https://images/1', cropped_image: 'https://images/2' } },
  duplicates: [{ customer_uid: 'eve', transaction_id: 9007199254740995n }],
  created_at: '2026-01-02T03:04:05.678Z',
  completed_at: '2026-01-02T03:05:06+01:00',
  dashboard_url: 'https://dashboard/1',
  implementation_info: 'test',
  action_map_results: { conditions: [{ flag: 'id_expired', met: true }] },
  addons: { anything: [1] },
};

/** Fetches with tokens whose transaction is not known. */
async function fetchOf(body: ApiJson): Promise<object> {
  const sandbox = await startSandbox();
  const services = await servicesFor(sandbox);
  const { refreshToken, accessToken, expiresAt } = await createTransaction(sandbox, services);
  sandbox.faults.add({ kind: 'answer', body });
  return firstValueFrom(
    services.transactions.fetch(new BerbixTokens({ refreshToken, accessToken, expiresAt })),
  );
}

describe('fetch()', () => {
  it('emits all data of the API with the names of this package and all digits, and unknown fields too', async () => {
    const transaction = await fetchOf(FULL as ApiJson);
    expect(Object.fromEntries(Object.entries(transaction))).toEqual({
      id: '9007199254740993',
      customerUid: 'ada',
      action: 'an-action-of-the-account',
      flags: ['id_expired', 'a_flag_from_next_year'],
      fields: {
        given_name: {
          value: 'ADA',
          confidence: 'high',
          sources: [{ value: 'ADA', type: 'text-scan', confidence: 'high' }],
        },
        a_field_from_next_year: { value: 'X', confidence: undefined, sources: [] },
        address_street: { value: '', confidence: undefined, sources: [] },
      },
      images: {
        front: {
          fullImage: 'https://images/1',
          croppedImage: 'https://images/2',
          faceImage: undefined,
        },
      },
      duplicates: [{ customerUid: 'eve', transactionId: '9007199254740995' }],
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
      completedAt: new Date('2026-01-02T02:05:06Z'),
      dashboardUrl: 'https://dashboard/1',
      implementationInfo: 'test',
      actionMapResults: { conditions: [{ flag: 'id_expired', met: true }] },
      others: { addons: { anything: [1] } },
    });
  });

  it.each([undefined, null, ''])(
    'reads an action of %p as an unfinished transaction',
    async (action) => {
      expect(await fetchOf({ id: 1, customer_uid: 'ada', action: action as never })).toMatchObject({
        action: undefined,
        flags: [],
        fields: {},
        duplicates: [],
      });
    },
  );

  it.each<[ApiJson, string]>([
    [{}, 'id must be a positive integer; customer_uid must be a non-empty string'],
    [{ ...FULL, id: 'x' } as ApiJson, 'id must be a positive integer'],
    [{ ...FULL, action: 1 } as ApiJson, 'action must be a string'],
    [{ ...FULL, flags: ['a', 2] } as ApiJson, 'flags must be a list of strings'],
    [{ ...FULL, flags: {} } as ApiJson, 'flags must be a list'],
    [{ ...FULL, fields: [] } as ApiJson, 'fields must be an object'],
    [{ ...FULL, fields: { age: 3 } } as ApiJson, 'fields.age must be an object'],
    [{ ...FULL, fields: { age: { value: 3 } } } as ApiJson, 'fields.age.value must be a string'],
    [
      { ...FULL, fields: { age: { value: '3', sources: [{}, 3] } } } as ApiJson,
      'API: fields.age.sources[1] must be an object.',
    ],
    [
      { ...FULL, duplicates: [{}] } as ApiJson,
      'duplicates[0].customer_uid must be a non-empty string; duplicates[0].transaction_id must be',
    ],
    [{ ...FULL, created_at: 'yesterday' } as ApiJson, 'created_at must be a date'],
  ])('refuses %j', async (body, problem) => {
    const json = JSON.stringify(body, (_key, value) => (typeof value === 'bigint' ? 1 : value));
    const error = await errorOf(fetchOf(JSON.parse(json) as ApiJson));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', retryable: false, status: 200 });
    expect(error).toMatchObject({
      method: 'GET',
      path: '/v0/transactions',
      requestId: expect.any(String),
    });
    expect(error.message).toContain(problem);
  });

  it('refuses an answer without a body', async () => {
    const error = await errorOf(fetchOf(''));
    expect(error.code).toBe('BERBIX_RESPONSE');
    expect(error.message).toContain('id must be a positive integer; customer_uid must be');
  });

  it('refuses the result of another transaction, and quotes nothing of it', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'answer', body: { ...FULL, customer_uid: 'eve' } as ApiJson });
    const error = await errorOf(services.transactions.fetch(created));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', retryable: false, tokens: created });
    expect(error.message).toMatch(/of the API: id is that of another transaction\.$/);
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/9007199|eve|ADA/);
  });

  it('has the tokens, but not in its JSON', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const fetched = await firstValueFrom(services.transactions.fetch(created));
    expect(fetched.tokens.refreshToken).toBe(created.refreshToken);
    const shown = JSON.stringify(fetched) + inspect(fetched, { depth: null, showHidden: true });
    expect(shown).not.toContain(created.refreshToken);
    expect(shown).not.toContain(created.accessToken);
  });
});
