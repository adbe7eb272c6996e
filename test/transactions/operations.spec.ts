import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  type Services,
} from '../support/services.js';

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(2000, 7)]);

async function start(): Promise<Services & { sandbox: BerbixSandbox }> {
  const sandbox = await startSandbox();
  return { sandbox, ...(await servicesFor(sandbox)) };
}

describe('creating', () => {
  it('a hosted transaction emits its URL, even without options', async () => {
    const { sandbox, transactions } = await start();
    const hosted = { customerUid: 'ada', templateKey: sandbox.templateKeys.hosted };
    const options = {
      completionEmail: 'ops@example.com',
      redirectUrl: 'http://localhost:3000/done',
    };
    for (const transaction of [hosted, { ...hosted, ...options }]) {
      const created = await firstValueFrom(transactions.createHosted(transaction));
      expect(created.hostedUrl).toContain('/hosted/');
      expect(created.tokens.refreshToken).toMatch(/^rt_/);
      expect(JSON.parse(JSON.stringify(created))).toEqual({ hostedUrl: created.hostedUrl });
    }
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toMatchObject({
      hosted_options: {
        completion_email: 'ops@example.com',
        redirect_url: 'http://localhost:3000/done',
      },
    });
  });

  it('an API-only transaction emits the first step', async () => {
    const { sandbox, transactions } = await start();
    const created = await firstValueFrom(
      transactions.createApiOnly({
        customerUid: 'ada',
        templateKey: sandbox.templateKeys.apiOnly,
        idCountry: 'US',
        idType: 'P',
        consentsToAutomatedFacialRecognition: true,
        matchData: {
          givenName: 'Ada',
          middleName: 'Augusta',
          familyName: 'King',
          dateOfBirth: '1990-12-10',
          idExpiryDate: '2031-12-10',
        },
      }),
    );
    expect(created.firstStep).toBe('upload_document_front');
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toMatchObject({
      consents_to_automated_facial_recognition: true,
      match_data: {
        given_name: 'Ada',
        middle_name: 'Augusta',
        family_name: 'King',
        date_of_birth: '1990-12-10',
        id_expiry_date: '2031-12-10',
      },
      api_only_options: { id_country: 'US', id_type: 'P' },
    });
  });

  it.each<[object, RegExp]>([
    [{ customerUid: '' }, /customerUid/],
    [{ templateKey: undefined }, /templateKey/],
    [{ email: 'ada' }, /email/],
    [{ email: 'ada\ud800@example.com' }, /email must be an email/],
    [
      { matchData: { dateOfBirth: '10.12.1990' } },
      /matchData must be an object of strings.*YYYY-MM-DD/,
    ],
    [{ matchData: { birthday: '1990-12-10' } }, /matchData/],
    [{ matchData: { dateOfBirth: '1990-99-99' } }, /matchData/],
    [{ matchData: { dateOfBirth: '1990-02-30' } }, /matchData/],
    [{ matchData: { idExpiryDate: '12/2030' } }, /matchData/],
    [{ matchData: { dateOfBirth: '1990-12-10T00:00:00Z' } }, /matchData/],
    [{ matchData: { dateOfBirth: '1990-W10-1' } }, /matchData/],
    [{ matchData: { dateOfBirth: '1990-12T10' } }, /matchData/],
    [{ matchData: [] }, /matchData/],
    [{ apiOnlyOpts: {} }, /apiOnlyOpts should not exist/],
    [{ idType: 'DRIVER' }, /idType/],
    [{ idCountry: 'USA' }, /idCountry/],
    [
      { customerUid: 'ada\ud800' },
      /customerUid must be a non-empty string of at most 256 characters, without half/,
    ],
    [{ matchData: { middleName: 7 } }, /matchData/],
    [{ matchData: { nickName: undefined } }, /matchData/],
    [{ templateKey: '' }, /templateKey should not be empty/],
    [{ phone: 5550100 }, /phone must be a string/],
    [{ consentsToAutomatedFacialRecognition: 'yes' }, /FacialRecognition must be a boolean/],
  ])('refuses %j before anything is sent', async (mistake, message) => {
    const { sandbox, transactions } = await start();
    const right = { customerUid: 'ada', templateKey: sandbox.templateKeys.apiOnly };
    const error = await errorOf(transactions.createApiOnly({ ...right, ...mistake } as never));
    expect(error).toMatchObject({ code: 'BERBIX_INPUT', retryable: false });
    expect(error.message).toMatch(message);
    expect(sandbox.requests.length).toBe(0);
  });

  it('omits missing data of a customer, and sends that there is no consent', async () => {
    const { sandbox, transactions } = await start();
    const transaction = {
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
      consentsToAutomatedFacialRecognition: false,
      matchData: { givenName: 'Ada', middleName: undefined, idExpiryDate: null },
    };
    await firstValueFrom(transactions.create(transaction));
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toEqual({
      customer_uid: 'ada',
      template_key: sandbox.templateKeys.sdk,
      consents_to_automated_facial_recognition: false,
      match_data: { given_name: 'Ada' },
    });
  });

  it('accepts a country in upper or lower case, and sends upper case', async () => {
    const { sandbox, transactions } = await start();
    const { apiOnly: templateKey } = sandbox.templateKeys;
    await firstValueFrom(
      transactions.createApiOnly({ customerUid: 'ada', templateKey, idCountry: 'us' }),
    );
    const { api_only_options: sent } = JSON.parse(sandbox.requests.last?.body ?? '');
    expect(sent).toEqual({ id_country: 'US' });
  });

  it('refuses a hosted transaction without the address of an email', async () => {
    const { sandbox, transactions } = await start();
    const hosted = { customerUid: 'ada', templateKey: sandbox.templateKeys.hosted };
    const error = await errorOf(transactions.createHosted({ ...hosted, completionEmail: 'ops' }));
    expect(error.message).toMatch(/completionEmail must be an email/);
    expect(sandbox.requests.length).toBe(0);
  });

  it('accepts redirect URLs with any scheme, but none without a scheme', async () => {
    const { sandbox, transactions } = await start();
    const hosted = { customerUid: 'ada', templateKey: sandbox.templateKeys.hosted };
    for (const redirectUrl of [
      'https://bank.example/verified?by=berbix',
      'http://localhost:3000/done',
      'myapp://verified',
      'HTTPS://Bank.Example/verified',
      'com.example.bank://verified/done',
    ]) {
      await firstValueFrom(transactions.createHosted({ ...hosted, redirectUrl }));
      const { hosted_options: sent } = JSON.parse(sandbox.requests.last?.body ?? '');
      expect(sent).toEqual({ redirect_url: redirectUrl });
    }
    sandbox.requests.clear();
    for (const redirectUrl of [
      'bank.example/x',
      '/verified',
      '//bank.example',
      'javascript:x',
      'https://bank.example/a b',
      '',
    ]) {
      const error = await errorOf(transactions.createHosted({ ...hosted, redirectUrl }));
      expect(error.code).toBe('BERBIX_INPUT');
      expect(error.message).toContain('redirectUrl must be a URL with its scheme');
    }
    expect(sandbox.requests.length).toBe(0);
  });

  it('refuses an answer without a refresh token', async () => {
    const { sandbox, transactions } = await start();
    const body = { transaction_id: 5, access_token: 'a', client_token: 'c', expires_in: 60 };
    sandbox.faults.add({ kind: 'answer', body });
    const templateKey = sandbox.templateKeys.sdk;
    const error = await errorOf(transactions.create({ customerUid: 'ada', templateKey }));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', status: 200 });
    expect(error.message).toBe(
      'The answer to POST /v0/transactions breaks the contract of the API: refresh_token is missing.',
    );
  });

  it('names a field of another type once', async () => {
    const { sandbox, transactions } = await start();
    const tokens = { access_token: 'a', client_token: 'c', refresh_token: 'r', expires_in: 60 };
    sandbox.faults.add({ kind: 'answer', body: { transaction_id: 5, ...tokens, hosted_url: 7 } });
    const templateKey = sandbox.templateKeys.hosted;
    const { message } = await errorOf(
      transactions.createHosted({ customerUid: 'ada', templateKey }),
    );
    expect(message).toBe(
      'The answer to POST /v0/transactions breaks the contract of the API: hosted_url must be a non-empty string.',
    );
  });

  it('loses no refresh token if the answer lacks the rest', async () => {
    const { sandbox, transactions } = await start();
    sandbox.faults.add({
      kind: 'answer',
      body: { transaction_id: 5, access_token: 'a', refresh_token: 'rt_new', expires_in: 60 },
    });
    const error = await errorOf(
      transactions.createHosted({ customerUid: 'ada', templateKey: sandbox.templateKeys.hosted }),
    );
    expect(error.message).toContain('hosted_url must be a non-empty string');
    expect(error.tokens?.refreshToken).toBe('rt_new');
  });
});

describe('uploading', () => {
  it('completes an API-only transaction', async () => {
    const { sandbox, transactions } = await start();
    const { tokens } = await firstValueFrom(
      transactions.createApiOnly({
        customerUid: 'ada',
        templateKey: sandbox.templateKeys.apiOnly,
        idType: 'DL',
      }),
    );
    const front = await firstValueFrom(
      transactions.uploadImages(tokens, [
        { imageSubject: 'document_front', format: 'image/jpeg', data: JPEG },
      ]),
    );
    expect(front).toMatchObject({ nextStep: 'upload_document_back', issues: [] });
    expect(sandbox.requests.last?.headers.authorization).toBe(`Bearer ${tokens.clientToken}`);

    const again = transactions.uploadImages(front.tokens, [
      { imageSubject: 'document_front', data: JPEG },
    ]);
    expect(await errorOf(again)).toMatchObject({
      code: 'BERBIX_CONFLICT',
      nextStep: 'upload_document_back',
    });

    const back = await firstValueFrom(
      transactions.uploadImages(front.tokens.refreshToken, [
        { imageSubject: 'document_back', data: JPEG.toString('base64') },
      ]),
    );
    expect(back.nextStep).toBe('done');
    expect((await firstValueFrom(transactions.fetch(back.tokens))).action).toBeDefined();
  });

  it('refuses uploads that are too large or empty before anything is sent', async () => {
    const { sandbox, transactions } = await start();
    const large = { imageSubject: 'document_front', data: Buffer.alloc(21 * 1024 * 1024) } as const;
    for (const images of [[large], [], [{ imageSubject: 'document_front', data: 5 }]]) {
      const error = await errorOf(transactions.uploadImages('rt_any', images as never));
      expect(error.code).toBe('BERBIX_INPUT');
    }
    expect((await errorOf(transactions.uploadIdScan('rt_any', ''))).code).toBe('BERBIX_INPUT');
    expect(sandbox.requests.length).toBe(0);
  });

  it('emits what the API says about an image', async () => {
    const { sandbox, transactions } = await start();
    const { tokens } = await firstValueFrom(
      transactions.createApiOnly({ customerUid: 'ada', templateKey: sandbox.templateKeys.apiOnly }),
    );
    sandbox.faults.add({
      kind: 'answer',
      body: {
        issues: ['unsupported_id_type', 'an_issue_from_next_year'],
        issue_details: { unsupported_id_type: { visa_page_of_passport: true } },
        next_step: 'upload_document_front',
      },
    });
    const upload = transactions.uploadImages(tokens, [
      { imageSubject: 'document_front', data: JPEG },
    ]);
    expect(await firstValueFrom(upload)).toMatchObject({
      issues: ['unsupported_id_type', 'an_issue_from_next_year'],
      issueDetails: { visaPageOfPassport: true },
      nextStep: 'upload_document_front',
    });
  });

  it('names the field of an answer that breaks the contract, and has the tokens', async () => {
    const { sandbox, transactions } = await start();
    const { tokens } = await firstValueFrom(
      transactions.createApiOnly({ customerUid: 'ada', templateKey: sandbox.templateKeys.apiOnly }),
    );
    const issue_details = { unsupported_id_type: { visa_page_of_passport: 'yes' } };
    sandbox.faults.add({ kind: 'answer', body: { issue_details, next_step: 'done' } });
    const error = await errorOf(
      transactions.uploadImages(tokens, [{ imageSubject: 'document_front', data: JPEG }]),
    );
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', tokens });
    expect(error.message).toBe(
      'The answer to POST /v0/images/upload breaks the contract of the API: ' +
        'issue_details.unsupported_id_type.visa_page_of_passport must be true or false.',
    );
  });
});

describe('the result', () => {
  it('can be set in test mode, and changed afterwards', async () => {
    const { sandbox, transactions, ...services } = await start();
    const created = await createTransaction(sandbox, { transactions, ...services });
    expect(await errorOf(transactions.update(created, { action: 'accept' }))).toMatchObject({
      code: 'BERBIX_CONFLICT',
    });
    const tokens = await firstValueFrom(
      transactions.override(created, {
        responsePayload: 'us-dl',
        flags: ['id_expired'],
        overrideFields: { given_name: 'ADA' },
      }),
    );
    const fetched = await firstValueFrom(transactions.fetch(tokens));
    expect(fetched).toMatchObject({ flags: ['id_expired'], customerUid: 'ada' });
    expect(fetched.fields['given_name']?.value).toBe('ADA');
    const updated = await firstValueFrom(
      transactions.update(tokens, { action: 'accept', note: 'seen' }),
    );
    expect(updated).toMatchObject({ id: fetched.id, action: 'accept' });
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toEqual({
      action: 'accept',
      note: 'seen',
    });
    const again = transactions.override(tokens, { responsePayload: 'passport' });
    expect(await errorOf(again)).toMatchObject({ code: 'BERBIX_CONFLICT' });
  });

  it.each([{}, { action: '' }, { action: 1 }, { action: 'accept', note: 7 }])(
    'cannot be changed to %j',
    async (change) => {
      const { sandbox, transactions } = await start();
      expect(await errorOf(transactions.update('rt_any', change as never))).toMatchObject({
        code: 'BERBIX_INPUT',
      });
      expect(sandbox.requests.length).toBe(0);
    },
  );

  it.each([
    { responsePayload: 'us-xx' },
    { responsePayload: 'us-dl', flags: 'x' },
    { responsePayload: 'us-dl', flags: ['id_expired', 7] },
    { responsePayload: 'us-dl', overrideFields: { age: 3 } },
    { responsePayload: 'us-dl', overrideFields: ['Ada'] },
    {},
  ])('cannot be set to %j', async (result) => {
    const { sandbox, transactions } = await start();
    expect(await errorOf(transactions.override('rt_any', result as never))).toMatchObject({
      code: 'BERBIX_INPUT',
    });
    expect(sandbox.requests.length).toBe(0);
  });
});
