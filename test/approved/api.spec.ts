import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { pathOf } from '../sandbox/support/pages.js';
import { BACK, BARCODE, FRONT, image, LIVENESS, scan, SELFIE } from '../sandbox/support/images.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

const DAY_MS = 86_400_000;

describe('the API', () => {
  freezeTime();
  let plain: BerbixSandbox;
  let strict: BerbixSandbox;
  let api: Conversation;

  beforeAll(async () => {
    plain = await startKnownSandbox({ images: true });
    strict = await startKnownSandbox({
      refreshToken: 'rotate',
      rotationGraceSeconds: 60,
      tokenTtlSeconds: 90,
      largeIds: true,
      facialRecognition: false,
      apiOnlyDocument: 'barcode-or-photo',
      apiOnlySelfie: 'liveness',
      actionMap: { id_expired: 'review', id_under_21: 'call', id_blocked: 'reject' },
      retentionDays: 2,
      testCompletionLimit: 2,
    });
  });

  beforeEach(async () => {
    for (const { url } of [plain, strict]) {
      await fetch(`${url}/sandbox/state`, { method: 'DELETE' });
    }
    api = new Conversation(plain);
  });

  /** What a client token says. */
  function claimsOf(token: unknown): string {
    const [header = '', claims = ''] = String(token).split('.');
    return [header, claims].map((part) => Buffer.from(part, 'base64url').toString()).join('\n');
  }

  it('creates transactions of each kind', async () => {
    const { hosted, apiOnly } = plain.templateKeys;
    api.about('Creation for a front-end SDK');
    const { json } = await api.create();
    api.note(`The client token says:\n${claimsOf(json.client_token)}`);
    api.about('Creation in live mode, with every member');
    await api.live.create({
      customer_uid: 'ada',
      email: 'ada@example.com',
      phone: '+15551234567',
      consents_to_automated_facial_recognition: true,
      match_data: { given_name: 'Ada', date_of_birth: '1815-12-10' },
    });
    api.about('Creation on a page of Berbix');
    await api.create({
      template_key: hosted,
      hosted_options: { completion_email: 'a@example.com', redirect_url: 'https://example.com' },
    });
    api.about('API-only creation, for each document');
    for (const id_type of ['P', 'DL', 'PRC', 'PC', 'ID']) await api.createApiOnly({ id_type });
    api.about('Creation as clients in other languages send it');
    await api.create({ customer_uid: 7, email: '', phone: null, match_data: [] });
    await api.create({ template_key: hosted, hosted_options: [], api_only_options: null });
    await api.create({
      template_key: apiOnly,
      api_only_options: { id_country: 'de', id_type: '' },
    });
    await api.create({ template_key: hosted });
    await api.create({ hosted_options: {} });
    api.about('Creation with other options of the sandbox');
    const other = api.with(strict);
    const created = await other.create();
    other.note(`The client token says:\n${claimsOf(created.json.client_token)}`);
    await other.createApiOnly();
    expectApproved('api/creation.txt', api.text);
  });

  it('exchanges refresh tokens', async () => {
    api.about('Exchange without a new refresh token');
    const { refresh_token } = (await api.create()).json;
    await api.refresh(refresh_token);
    await api.refresh(refresh_token, { grant_type: undefined });
    const live = await api.live.create();
    await api.live.refresh(live.json.refresh_token);
    api.about('Exchange: the token is of the other mode, unknown, or of another kind');
    await api.live.refresh(refresh_token);
    await api.refresh(live.json.refresh_token);
    await api.refresh('rt_unknown');
    await api.refresh(live.json.access_token);
    await api.refresh(live.json.client_token);
    api.about('Exchange: the token is revoked, or its transaction is gone');
    await plain.transactions.revokeRefreshToken(String(live.json.transaction_id));
    await api.live.refresh(live.json.refresh_token);
    plain.clock.advance(30 * DAY_MS - 1);
    await api.refresh(refresh_token);
    plain.clock.advance(1);
    await api.refresh(refresh_token);
    await api.refresh(refresh_token);
    api.about('Exchange with rotation, and a minute of grace');
    const rotating = api.with(strict);
    const first = await rotating.create();
    const second = await rotating.refresh(first.json.refresh_token);
    strict.clock.advance(59_999);
    await rotating.refresh(first.json.refresh_token);
    strict.clock.advance(1);
    await rotating.refresh(first.json.refresh_token);
    await rotating.refresh(second.json.refresh_token);
    await rotating.refresh(first.json.refresh_token);
    strict.clock.advance(2 * DAY_MS);
    await rotating.refresh(second.json.refresh_token);
    expectApproved('api/tokens.txt', api.text);
  });

  it('shows and changes transactions', async () => {
    api.about('Open transactions');
    const { access_token } = (await api.create({ email: 'a@example.com', phone: '+1555' })).json;
    await api.fetch(access_token);
    await api.update(access_token, { action: 'accept' });
    api.about('Transactions with a result');
    await api.override(access_token, {
      response_payload: 'us-dl',
      flags: ['id_expired', 'id_under_18'],
      override_fields: { given_name: 'ADA', nickname: 'Countess' },
    });
    await api.override(access_token, { response_payload: 'us-dl' });
    await api.fetch(access_token);
    api.about('Update to another action');
    await api.update(access_token, { action: 'review', note: 'Looks younger.' });
    api.about('A transaction of another customer with the same document');
    const copy = await api.create({ customer_uid: 'bob' });
    await api.override(copy.json.access_token, {
      response_payload: 'passport',
      flags: null,
      override_fields: { id_number: 'D26798862' },
    });
    await api.fetch(copy.json.access_token, 'Token');
    api.about('A transaction of live mode');
    const live = (await api.live.create()).json;
    await api.override(live.access_token, { response_payload: 'us-dl' });
    await api.fetch(live.access_token, 'bearer');
    api.about('Deleted transactions');
    await api.delete(live.access_token);
    await api.fetch(live.access_token);
    await api.delete(live.access_token);
    await api.live.refresh(live.refresh_token);
    api.about('Tokens that have expired');
    plain.clock.advance(3_599_999);
    await api.fetch(copy.json.access_token);
    plain.clock.advance(1);
    await api.fetch(copy.json.access_token);
    await api.uploadImages(copy.json.client_token, [FRONT]);
    expectApproved('api/transactions.txt', api.text);
  });

  it('takes images of a document', async () => {
    api.about('Images of one side after the other');
    const { access_token, client_token } = (await api.createApiOnly({ id_type: 'DL' })).json;
    await api.uploadImages(client_token, [BACK]);
    await api.uploadImages(client_token, [
      image('document_front', 'issue:text_unreadable,bad_upload'),
    ]);
    await api.uploadImages(client_token, [image('document_front', 'flag:id_expired')]);
    await api.fetch(access_token);
    await api.uploadImages(client_token, [FRONT]);
    const supplementary_data = {
      extracted_barcode: {
        barcode_type: 'pdf417',
        extracted_data: scan('flag:id_blocked').extracted_data,
      },
    };
    await api.uploadImages(client_token, [{ ...BACK, supplementary_data }]);
    await api.uploadImages(client_token, [BACK]);
    await api.fetch(access_token);
    api.about('Images of a passport');
    const passport = (await api.createApiOnly({ id_type: 'P' })).json;
    await api.uploadImages(passport.client_token, [
      image('document_front', 'issue:unsupported_id_type'),
    ]);
    await api.uploadImages(passport.client_token, [FRONT]);
    const { json } = await api.fetch(passport.access_token);
    api.about('Image link: valid for 15 minutes');
    const { front } = json.images as { front: { full_image: string } };
    const path = pathOf(front.full_image);
    await api.send('GET', path, {}, (text) => `(${text.length} characters of a picture)`);
    plain.clock.advance(15 * 60_000);
    await api.send('GET', path);
    await api.send('GET', `${path}0`);
    expectApproved('api/images.txt', api.text);
  });

  it('takes scans of a barcode, and photos of those who cannot scan it', async () => {
    api = api.with(strict);
    api.about('A scan, and a selfie without consent to compare it');
    const { access_token, client_token } = (await api.createApiOnly({ id_type: 'ID' })).json;
    await api.uploadIdScan(client_token, [scan('flag:id_under_21')]);
    await api.uploadImages(client_token, [SELFIE]);
    await api.uploadImages(
      client_token,
      LIVENESS.map(({ image_subject }) => image(image_subject, 'flag:id_blocked')),
    );
    await api.fetch(access_token);
    api.about('A scan that fails, then photos');
    const failing = (await api.createApiOnly({ id_type: 'PC' })).json;
    await api.uploadImages(failing.client_token, [image('document_barcode', 'issue:bad_upload')]);
    await api.uploadIdScan(failing.client_token, [scan('issue:incomplete_barcode_detected')]);
    await api.uploadImages(failing.client_token, [BARCODE]);
    await api.uploadImages(failing.client_token, [FRONT]);
    await api.uploadImages(failing.client_token, [BACK]);
    strict.clock.advance(10_000);
    await api.uploadImages(failing.client_token, LIVENESS);
    await api.fetch(failing.access_token);
    api.about('After as many completed transactions as the account may have in four hours');
    await api.create();
    await api.live.create();
    strict.clock.advance(4 * 3_600_000 - 10_001);
    await api.create();
    strict.clock.advance(1);
    await api.create();
    expectApproved('api/scans.txt', api.text);
  });
});
