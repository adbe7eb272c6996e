import { describe, expect, it } from '@jest/globals';
import * as sdk from 'berbix';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { startSandbox } from '../support/services.js';
import { officialClientOf } from './support/official-sdk.js';

let sandbox: BerbixSandbox;

async function start(settings?: BerbixSandboxOptions): Promise<sdk.Client> {
  sandbox = await startSandbox({ tls: true, ...settings });
  return officialClientOf(sandbox);
}

function options(kind: keyof BerbixSandbox['templateKeys'] = 'sdk') {
  return { customerUid: 'alice', templateKey: sandbox.templateKeys[kind] };
}

function base64(content: string): string {
  return Buffer.from(content).toString('base64');
}

function image(subject: string, content = 'a picture', supplementaryData?: object): object {
  return new sdk.EncodedImage(base64(content), subject, 'image/png', supplementaryData);
}

describe('berbix 2.0.0 for Node.js, unmodified', () => {
  it.each(['omit', 'echo', 'rotate'] as const)(
    'creates, refreshes three times, fetches and deletes: %s',
    async (mode) => {
      const client = await start({ refreshToken: mode });
      const created = await client.createTransaction({
        ...options(),
        email: 'alice@example.com',
        phone: '+14155552671',
      });
      expect(created.refreshToken).toMatch(/^rt_/);
      expect(created.needsRefresh()).toBe(false);

      let current = created.refreshToken;
      for (let round = 1; round <= 3; round += 1) {
        const tokens = await client.refreshTokens(sdk.Tokens.fromRefresh(current));
        expect(tokens.accessToken).toMatch(/^at_/);
        expect(tokens.transactionId).toBe(created.transactionId);
        // If the answer has none, this SDK drops the one that it had.
        expect(tokens.refreshToken === undefined).toBe(mode === 'omit');
        expect((tokens.refreshToken ?? current) === current).toBe(mode !== 'rotate');
        current = tokens.refreshToken ?? current;
      }

      // Without an access token it refreshes by itself.
      const metadata = await client.fetchTransaction(sdk.Tokens.fromRefresh(current));
      expect(metadata).toMatchObject({
        entity: 'transaction_metadata',
        id: created.transactionId,
        customer_uid: 'alice',
        action: '',
      });
      await expect(client.deleteTransaction(created)).resolves.toEqual({});
      await expect(client.fetchTransaction(created)).rejects.toMatchObject({
        status: 410,
        response: { code: 410, readable: 'transaction_gone' },
      });
      await expect(client.deleteTransaction(created)).rejects.toMatchObject({ status: 410 });
    },
  );

  it('creates hosted and API-only transactions', async () => {
    const client = await start();
    const hosted = await client.createHostedTransaction({
      ...options('hosted'),
      hostedOptions: { completionEmail: 'ops@example.com' },
    });
    expect(hosted.hostedUrl).toMatch(/\/hosted\/[0-9a-f]+$/);
    const forgotten = await client.createHostedTransaction(options('hosted'));
    expect(forgotten.hostedUrl).toBeUndefined();
    const apiOnly = await client.createApiOnlyTransaction({
      ...options('apiOnly'),
      apiOnlyOpts: { idCountry: 'US', idType: 'DL' },
    });
    expect(apiOnly.response?.first_step).toBe('upload_document_front');
  });

  it('overrides and updates', async () => {
    const client = await start();
    const created = await client.createTransaction(options());
    const unfinished = client.updateTransaction(created, { action: 'accept' });
    await expect(unfinished).rejects.toMatchObject({
      status: 409,
      response: { code: 409, readable: 'wrong_state' },
    });
    const override = client.overrideTransaction(created, {
      responsePayload: 'us-dl',
      flags: ['id_expired'],
      overrideFields: { given_name: 'JANE' },
    });
    await expect(override).resolves.toEqual({});
    const result = {
      action: 'review',
      flags: ['id_expired'],
      fields: { given_name: { value: 'JANE' }, family_name: { value: 'DOE' } },
      completed_at: expect.any(String),
    };
    expect(await client.fetchTransaction(created)).toMatchObject(result);
    const params = { action: 'accept', note: 'They called.' };
    const updated = await client.updateTransaction(created, params);
    expect(updated).toMatchObject({ ...result, action: 'accept' });
    expect(await client.fetchTransaction(created)).toEqual(updated);
    const again = client.overrideTransaction(created, { responsePayload: 'passport' });
    await expect(again).rejects.toMatchObject({ status: 409 });
    await expect(client.deleteTransaction(created)).resolves.toEqual({});
    await expect(client.updateTransaction(created, params)).rejects.toMatchObject({ status: 410 });
  });

  it('uploads images until it is done', async () => {
    const client = await start({ apiOnlySelfie: 'liveness' });
    const created = await client.createApiOnlyTransaction({
      ...options('apiOnly'),
      apiOnlyOpts: { idCountry: 'US', idType: 'DL' },
      consentsToAutomatedFacialRecognition: true,
    });
    const upload = (tokens: sdk.Tokens, ...images: object[]) =>
      client.uploadImages(tokens, { images });

    await expect(upload(created, image('document_back'))).rejects.toMatchObject({
      status: 409,
      nextStep: 'upload_document_front',
      error: expect.stringContaining('expects upload_document_front'),
    });
    const visa = image('document_front', 'issue:unsupported_id_type,bad_upload');
    expect(await upload(created, visa)).toEqual({
      nextStep: 'upload_document_front',
      issues: ['unsupported_id_type', 'bad_upload'],
      issueDetails: { unsupportedIdType: { visaPageOfPassport: false } },
    });
    expect(await upload(created, image('document_front', 'a face'))).toEqual({
      nextStep: 'upload_document_back',
      issues: [],
      issueDetails: {},
    });
    // The token that it refreshes meanwhile is the client token.
    const later = sdk.Tokens.fromRefresh(created.refreshToken);
    const barcode = { barcodeType: 'pdf417', extractedData: base64('@ANSI') };
    const back = image('document_back', 'a back', { extractedBarcode: barcode });
    expect(await upload(later, back)).toMatchObject({ nextStep: 'upload_selfie_liveness' });
    await expect(upload(later, image('selfie_left'))).rejects.toMatchObject({
      status: 400,
      response: { code: 400, readable: 'invalid_request' },
    });
    const selfies = ['selfie_front', 'selfie_left', 'selfie_right'].map((side) => image(side));
    expect(await upload(later, ...selfies)).toMatchObject({ nextStep: 'done' });
    expect(await client.fetchTransaction(later)).toMatchObject({ action: 'accept' });
    await expect(upload(later, ...selfies)).rejects.toMatchObject({
      status: 409,
      nextStep: 'done',
    });
    await client.deleteTransaction(later);
    await expect(upload(later, ...selfies)).rejects.toMatchObject({
      status: 410,
      response: { code: 410, readable: 'transaction_gone' },
    });
  });

  it('uploads ID scans, and photos after a failed scan', async () => {
    const client = await start({ apiOnlyDocument: 'barcode-or-photo' });
    const create = () =>
      client.createApiOnlyTransaction({ ...options('apiOnly'), apiOnlyOpts: { idType: 'PC' } });
    const scan = (tokens: sdk.Tokens, content: string) =>
      client.uploadIdScan(tokens, {
        idScans: [{ scanType: 'pdf417', extractedData: base64(content) }],
      });
    const read = await create();
    expect(read.response?.first_step).toBe('upload_document_barcode');
    expect(await scan(read, '@ANSI')).toEqual({ nextStep: 'done', issues: [], issueDetails: {} });
    const smudged = await create();
    expect(await scan(smudged, 'issue:incomplete_barcode_detected')).toMatchObject({
      nextStep: 'upload_document_front',
      issues: ['incomplete_barcode_detected'],
    });
    await expect(scan(smudged, '@ANSI')).rejects.toMatchObject({
      status: 409,
      nextStep: 'upload_document_front',
    });
    const images = [image('document_front')];
    const { nextStep } = await client.uploadImages(smudged, { images });
    expect(nextStep).toBe('upload_document_back');
  });

  it('cannot upload too many bytes, or to another kind of transaction', async () => {
    const client = await start();
    const created = await client.createTransaction(options());
    const images = [image('document_front')];
    await expect(client.uploadImages(created, { images })).rejects.toMatchObject({
      status: 403,
      response: { readable: 'not_allowed' },
    });
    const large = [new sdk.EncodedImage('A'.repeat(20 * 1024 * 1024), 'document_front')];
    await expect(client.uploadImages(created, { images: large })).rejects.toMatchObject({
      status: 413,
      response: { code: 413, readable: 'payload_too_large' },
    });
  });

  it('gets errors for dead tokens that it can report', async () => {
    const client = await start({ refreshToken: 'rotate' });
    const created = await client.createTransaction(options());
    await client.refreshTokens(created);
    await expect(client.refreshTokens(created)).rejects.toMatchObject({
      status: 401,
      response: { code: 401, readable: 'invalid_refresh_token' },
    });
    sandbox.clock.advance(3_600_000);
    await expect(client.fetchTransaction(created)).rejects.toMatchObject({
      status: 401,
      response: { readable: 'invalid_access_token' },
    });
  });

  it('sends an exchange as shown in the log', async () => {
    const client = await start();
    const created = await client.createTransaction(options());
    await client.refreshTokens(created);
    const [exchange] = sandbox.requests.to('POST', '/v0/tokens');
    expect(JSON.parse(exchange?.body ?? '')).toEqual({
      grant_type: 'refresh_token',
      refresh_token: created.refreshToken,
    });
    expect(exchange?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(`${sandbox.apiSecret}:`).toString('base64')}`,
      'content-type': 'application/json',
      'user-agent': 'BerbixNode/2.0.0',
    });
  });
});
