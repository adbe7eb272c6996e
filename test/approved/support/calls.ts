import type { BerbixTokens } from 'nestjs-berbix';
import type { Observable } from 'rxjs';
import type { Services } from '../../support/services.js';
import type { Answer } from './scripted-api.js';

/** The answer to a new transaction. */
export const CREATED = {
  transaction_id: 7,
  access_token: 'at_new',
  client_token: 'ct_new',
  refresh_token: 'rt_new',
  expires_in: 3_600,
};

/** A transaction with each field. */
export const TRANSACTION = {
  entity: 'transaction_metadata',
  id: 1,
  customer_uid: 'ada',
  action: 'accept',
  flags: ['id_expired'],
  fields: {
    given_name: {
      value: 'ADA',
      confidence: 'high',
      sources: [{ value: 'ADA', type: 'document_front', confidence: 'low' }],
    },
    family_name: {},
  },
  images: {
    front: { full_image: 'https://f', cropped_image: 'https://c', face_image: 'https://i' },
  },
  duplicates: [{ customer_uid: 'bob', transaction_id: '18446744073709551615' }],
  created_at: '2026-01-02T03:04:05Z',
  completed_at: '2026-01-02T03:04:06.789+01:00',
  dashboard_url: 'https://dashboard',
  implementation_info: 'test',
  action_map_results: { rules: [1] },
  of_next_year: [true],
};

/** The answer to an exchange that does not replace the refresh token. */
export const REFRESHED = { ...CREATED, refresh_token: undefined, transaction_id: 1 };
const USER = { customerUid: 'ada', templateKey: 'tk_1' };
const ok = (body?: object): Answer => ({ status: 200, body });

type Call = [
  name: string,
  call: (services: Services, tokens: BerbixTokens) => Observable<unknown>,
  ...answers: Answer[],
];

/** A call of each operation. */
export const CALLS: Call[] = [
  ['create', ({ transactions }) => transactions.create(USER), ok(CREATED)],
  [
    'create with each field',
    ({ transactions }) =>
      transactions.create({
        ...USER,
        email: 'ada@lovelace.test',
        phone: '+420 601 123 456',
        consentsToAutomatedFacialRecognition: false,
        matchData: {
          givenName: 'Ada',
          middleName: 'King',
          familyName: 'Lovelace',
          dateOfBirth: '1815-12-10',
          idExpiryDate: '2030-01-02',
        },
      }),
    ok(CREATED),
  ],
  [
    'createHosted',
    ({ transactions }) =>
      transactions.createHosted({
        ...USER,
        completionEmail: 'done@bank.test',
        redirectUrl: 'https://bank.test/done',
      }),
    ok({ ...CREATED, hosted_url: 'https://hosted' }),
  ],
  [
    'createHosted without options',
    ({ transactions }) => transactions.createHosted(USER),
    ok({ ...CREATED, hosted_url: 'https://hosted' }),
  ],
  [
    'createApiOnly',
    ({ transactions }) => transactions.createApiOnly({ ...USER, idCountry: 'us', idType: 'DL' }),
    ok({ ...CREATED, first_step: 'upload_document_front' }),
  ],
  ['fetch', ({ transactions }, tokens) => transactions.fetch(tokens), ok(TRANSACTION)],
  [
    'fetch of an unfinished one',
    ({ transactions }, tokens) => transactions.fetch(tokens),
    ok({ id: '1', customer_uid: 'ada', action: null, flags: null, images: null, fields: {} }),
  ],
  [
    'fetch with a refresh token',
    ({ transactions }) => transactions.fetch('rt_of_bob'),
    ok(REFRESHED),
    ok(TRANSACTION),
  ],
  [
    'fetch with an access token that is refused',
    ({ transactions }, tokens) => transactions.fetch(tokens),
    { status: 401, body: {} },
    ok(REFRESHED),
    ok(TRANSACTION),
  ],
  [
    'update',
    ({ transactions }, tokens) => transactions.update(tokens, { action: 'reject', note: 'seen' }),
    ok(TRANSACTION),
  ],
  [
    'override',
    ({ transactions }, tokens) =>
      transactions.override(tokens, {
        responsePayload: 'us-dl',
        flags: ['id_expired'],
        overrideFields: { given_name: 'ADA' },
      }),
    ok(),
  ],
  ['delete', ({ transactions }, tokens) => transactions.delete(tokens), { status: 204 }],
  [
    'delete of one that is gone',
    ({ transactions }, tokens) => transactions.delete(tokens),
    { status: 410, body: {} },
  ],
  [
    'uploadImages',
    ({ transactions }, tokens) =>
      transactions.uploadImages(tokens, [
        { imageSubject: 'document_front', data: new Uint8Array([1, 2, 3, 4]) },
        {
          imageSubject: 'document_back',
          format: 'image/png',
          data: 'AAAA',
          extractedBarcode: new Uint8Array([5]),
        },
      ]),
    ok({
      issues: ['unsupported_id_type'],
      issue_details: { unsupported_id_type: { visa_page_of_passport: true } },
      next_step: 'upload_document_back',
    }),
  ],
  [
    'uploadIdScan',
    ({ transactions }, tokens) => transactions.uploadIdScan(tokens, 'QUJDRA=='),
    ok({ next_step: 'done' }),
  ],
  ['refresh', ({ tokens: service }, tokens) => service.refresh(tokens), ok(REFRESHED)],
  [
    'refresh of a refresh token',
    ({ tokens: service }) => service.refresh('rt_of_eve'),
    ok({ access_token: 'at', expires_in: 60 }),
  ],
  ['fresh', ({ tokens: service }) => service.fresh('rt_of_joe'), ok(REFRESHED)],
];
