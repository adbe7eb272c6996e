import { connect } from 'node:net';
import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { FRONT, image, LIVENESS, scan, SELFIE } from '../sandbox/support/images.js';
import { basic, type Call, readAll } from '../sandbox/support/raw-client.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

const DL = { response_payload: 'us-dl' };
const PDF417 = { barcode_type: 'pdf417', extracted_data: scan().extracted_data };

describe('the API', () => {
  freezeTime();
  let sandbox: BerbixSandbox;
  let api: Conversation;

  beforeAll(async () => {
    sandbox = await startKnownSandbox({ facialRecognition: false });
  });

  beforeEach(() => {
    api = new Conversation(sandbox);
  });

  it('refuses secrets and tokens that are missing or wrong', async () => {
    const { json } = await api.create();
    const { access_token, client_token, refresh_token } = json;
    const { apiSecret } = sandbox;
    const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    api.about('The API secret');
    for (const authorization of [
      undefined,
      'Basic',
      `Bearer ${apiSecret}`,
      encoded(apiSecret),
      encoded(`${apiSecret}:password`),
      encoded(`${apiSecret}::`),
      basic('secret_test_unknown'),
    ]) {
      await api.send('POST', '/v0/transactions', { authorization, body: {} });
    }
    await api.send('POST', '/v0/tokens', { body: {} });
    api.about('The access token');
    await api.send('GET', '/v0/transactions');
    for (const scheme of ['Basic', 'Bearer  Bearer']) await api.fetch(access_token, scheme);
    await api.fetch(`${String(access_token)}x`);
    await api.fetch(client_token);
    await api.fetch(refresh_token);
    api.about('The client token');
    await api.send('POST', '/v0/idscans/upload', { body: {} });
    await api.uploadIdScan('unknown', []);
    await api.uploadImages(access_token, []);
    await api.uploadImages(refresh_token, []);
    api.about('Tokens that were expired by a test');
    const id = String(json.transaction_id);
    await sandbox.transactions.expireTokens(id);
    await api.fetch(access_token);
    await api.uploadImages(client_token, []);
    const fresh = (await api.refresh(refresh_token)).json;
    await api.fetch(fresh.access_token);
    await api.uploadImages(fresh.client_token, []);
    expectApproved('api/credentials.txt', api.text);
  });

  it('refuses creations that are not valid', async () => {
    const template_key = sandbox.templateKeys.hosted;
    for (const body of [
      { customer_uid: '' },
      { customer_uid: 2 ** 60 },
      { customer_uid: true },
      { template_key: null },
      { template_key: 'tpk_unknown' },
      { email: 7 },
      { phone: {} },
      { consents_to_automated_facial_recognition: 'yes' },
      { consents_to_automated_facial_recognition: true },
      { match_data: 'Ada' },
      { match_data: ['Ada'] },
      ...['given_name', 'middle_name', 'family_name', 'date_of_birth', 'id_expiry_date'].map(
        (name) => ({ match_data: { [name]: 7 } }),
      ),
      { hosted_options: {}, api_only_options: {} },
      { hosted_options: 'yes' },
      { template_key, hosted_options: { redirect_url: 7 } },
      { template_key, hosted_options: { completion_email: 7 } },
      { api_only_options: {} },
      { template_key: sandbox.templateKeys.apiOnly },
    ]) {
      await api.create(body);
    }
    for (const options of [
      { id_country: 'USA' },
      { id_country: 'U' },
      { id_country: 7 },
      { id_type: 'dl' },
      { id_type: 7 },
    ]) {
      await api.createApiOnly(options);
    }
    expectApproved('api/creation-refused.txt', api.text);
  });

  it('refuses exchanges, overrides and updates that are not valid', async () => {
    const { access_token, refresh_token } = (await api.create()).json;
    api.about('An exchange');
    await api.refresh('');
    await api.refresh(7);
    await api.refresh(refresh_token, { grant_type: 'password' });
    await api.refresh(refresh_token, { grant_type: 7 });
    api.about('An override');
    for (const body of [
      {},
      { response_payload: 'us-passports' },
      { ...DL, flags: 'id_expired' },
      { ...DL, flags: ['Expired'] },
      { ...DL, flags: ['id_expired', ''] },
      { ...DL, override_fields: { age: 7 } },
      { ...DL, override_fields: 'none' },
    ]) {
      await api.override(access_token, body);
    }
    await api.override(access_token, { ...DL, override_fields: [] });
    api.about('An update');
    for (const body of [{}, { action: 'Accept' }, { action: 'accept', note: 7 }]) {
      await api.update(access_token, body);
    }
    expectApproved('api/changes-refused.txt', api.text);
  });

  it('refuses uploads that are not valid', async () => {
    const { client_token } = (await api.createApiOnly()).json;
    const uploads: unknown[] = [
      undefined,
      {},
      [],
      [7],
      [{}],
      [image('document_side')],
      [{ ...FRONT, format: 'image/gif' }],
      [{ ...FRONT, format: 7 }],
      [{ ...FRONT, data: '' }],
      [{ ...FRONT, data: 'a' }],
      [{ ...FRONT, data: 'data:image/png;base64,AAAA' }],
      [FRONT, SELFIE],
      LIVENESS.slice(1),
      [FRONT, FRONT, FRONT],
      [{ ...FRONT, supplementary_data: 7 }],
      [{ ...FRONT, supplementary_data: { extracted_barcode: 7 } }],
      [{ ...FRONT, supplementary_data: { extracted_barcode: {} } }],
      [{ ...FRONT, supplementary_data: { extracted_barcode: { ...PDF417, barcode_type: 'qr' } } }],
      [{ ...FRONT, supplementary_data: { extracted_barcode: { ...PDF417, extracted_data: '-' } } }],
    ];
    api.about('Images');
    for (const images of uploads) await api.uploadImages(client_token, images);
    api.about('A scan');
    for (const scans of [
      [],
      [scan(), scan()],
      [{}],
      [{ ...scan(), scan_type: 'qr' }],
      [scan('')],
    ]) {
      await api.uploadIdScan(client_token, scans);
    }
    await api.uploadIdScan(client_token, [scan()]);
    api.about('Unusual uploads that are accepted');
    await api.uploadImages(client_token, [{ ...FRONT, format: '', data: 'AAAA\r\nAAAA' }]);
    api.about('Uploads of another page');
    const { json } = await api.create();
    await api.uploadImages(json.client_token, [FRONT]);
    await api.send('OPTIONS', '/v0/images/upload');
    await api.send('OPTIONS', '/v0/idscans/upload', { headers: { origin: 'https://example.com' } });
    expectApproved('api/uploads-refused.txt', api.text);
  });

  it('refuses requests that are not part of it', async () => {
    const authorization = basic(sandbox.apiSecret);
    const { host } = new URL(sandbox.url);
    const post = (path: string, call: Call) => api.send('POST', path, { authorization, ...call });
    api.about('A body that is not JSON');
    for (const body of ['', 'null', '[]', '{']) await post('/v0/tokens', { body });
    await api.send('PUT', '/sandbox/webhooks', {
      body: '{}',
      headers: { 'content-type': 'text/json' },
    });
    await api.send('PUT', '/sandbox/webhooks', {
      body: '{}',
      headers: { 'content-type': 'Application/JSON ;charset=utf-8' },
    });
    api.about('An unknown route');
    for (const path of ['/v0/tokens', '/v0/nothing', '/v1/tokens']) {
      await api.send('GET', path);
    }
    await post('/berbix/v0/tokens?a=b', { body: {} });
    await api.send('GET', '/favicon.ico');
    api.about('A malformed path');
    await api.send('GET', '/v0/%zz');
    await api.send('GET', `http://${host}/v0/transactions`);
    api.about('A request from a page, or for another host');
    const strange: Record<string, string>[] = [
      { host: 'example.com' },
      { host: 'example.com@127.0.0.1' },
      { origin: 'https://example.com' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of strange) {
      await api.send('GET', '/sandbox/clock', { headers });
    }
    await api.send('POST', '/v0/images/upload', { headers: { origin: 'null' } });
    await api.send('GET', '/reference/openapi.json', {
      headers: { origin: 'https://example.com' },
    });
    api.about('Something that is not HTTP');
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const [head = '', body = ''] = (await readAll(socket)).split('\r\n\r\n');
    api.note(head.replaceAll('\r\n', '\n'));
    api.note(body);
    expectApproved('api/malformed.txt', api.text);
  });
});
