import { describe, expect, it } from '@jest/globals';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { BACK, BARCODE, base64, FRONT, image, LIVENESS, scan, SELFIE } from './support/images.js';
import { RawClient } from './support/raw-client.js';

const MIB = 1024 * 1024;

describe.each(PLATFORMS)('Uploads on %s', (platform) => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    return new RawClient(await startSandboxOn(platform, options));
  }

  describe('step by step', () => {
    it.each([
      ['P', {}, ['front']],
      ['DL', {}, ['front', 'back']],
      ['ID', {}, ['front', 'back']],
      ['PRC', {}, ['front', 'back']],
      ['PC', {}, ['front', 'back']],
      [undefined, {}, ['front', 'back']],
      ['P', { apiOnlySelfie: 'basic' }, ['front', 'basic']],
      ['DL', { apiOnlySelfie: 'basic' }, ['front', 'back', 'basic']],
      ['DL', { apiOnlySelfie: 'liveness' }, ['front', 'back', 'liveness']],
      ['DL', { apiOnlyDocument: 'barcode' }, ['barcode']],
      ['DL', { apiOnlyDocument: 'barcode' }, ['scan']],
      ['DL', { apiOnlyDocument: 'barcode-or-photo', apiOnlySelfie: 'basic' }, ['scan', 'basic']],
    ] as [string | undefined, BerbixSandboxOptions, (keyof typeof UPLOADS)[]][])(
      'takes a document %j, with %j, by %j',
      async (id_type, options, uploads) => {
        const client = await start(options);
        const { client_token, access_token, first_step } = (await client.createApiOnly({ id_type }))
          .json;
        const steps = [...uploads.map((name) => UPLOADS[name].step), 'done'];
        expect(first_step).toBe(steps[0]);
        for (const [index, name] of uploads.entries()) {
          expect((await client.fetch(access_token)).json.action).toBe('');
          const { status, json } = await UPLOADS[name].send(client, client_token);
          expect(status).toBe(200);
          expect(json).toEqual({ issues: [], issue_details: {}, next_step: steps[index + 1] });
        }
        const { json } = await client.fetch(access_token);
        expect(json).toMatchObject({
          action: 'accept',
          flags: [],
          fields: { given_name: { value: 'JOHN' }, id_type: { value: id_type ?? 'DL' } },
          completed_at: expect.any(String),
        });
      },
    );

    it('refuses an upload of another step, names the expected one, and continues', async () => {
      const client = await start({ apiOnlySelfie: 'basic' });
      const token = (await client.createApiOnly({ id_type: 'P' })).json.client_token;
      const early = [
        await client.uploadImages(token, [BACK]),
        await client.uploadImages(token, [SELFIE]),
        await client.uploadImages(token, LIVENESS),
        await client.uploadImages(token, [BARCODE]),
        await client.uploadIdScan(token, [scan()]),
      ];
      expect((await client.uploadImages(token, [FRONT])).status).toBe(200);
      const late = [
        await client.uploadImages(token, [FRONT]),
        await client.uploadImages(token, LIVENESS),
      ];
      expect((await client.uploadImages(token, [SELFIE])).json.next_step).toBe('done');
      const over = [
        await client.uploadImages(token, [SELFIE]),
        await client.uploadIdScan(token, [scan()]),
      ];
      const message = expect.any(String);
      for (const [answers, next_step] of [
        [early, 'upload_document_front'],
        [late, 'upload_selfie_basic'],
        [over, 'done'],
      ] as const) {
        for (const { status, json } of answers) {
          expect(status).toBe(409);
          expect(json).toEqual({ next_step, message });
        }
      }
    });

    it('accepts one of several concurrent uploads', async () => {
      const client = await start();
      const token = (await client.createApiOnly()).json.client_token;
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => client.uploadImages(token, [FRONT])),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    });

    it('continue after the tokens were refreshed', async () => {
      const client = await start();
      const created = (await client.createApiOnly()).json;
      await client.uploadImages(created.client_token, [FRONT]);
      client.sandbox.clock.advance(3_600_000);
      const { client_token } = (await client.refresh(created.refresh_token)).json;
      const { json } = await client.uploadImages(client_token, [BACK]);
      expect(json.next_step).toBe('done');
    });
  });

  describe('whose content begins with the issues or flags to find', () => {
    it.each([
      ['issue:text_unreadable', ['text_unreadable'], {}],
      [
        'issue:bad_upload,no_face_on_id_detected\nJPEG',
        ['bad_upload', 'no_face_on_id_detected'],
        {},
      ],
      [
        'issue:unsupported_id_type',
        ['unsupported_id_type'],
        { unsupported_id_type: { visa_page_of_passport: false } },
      ],
    ])('request the same step again after %j', async (content, issues, issue_details) => {
      const client = await start();
      const { client_token, access_token } = (await client.createApiOnly()).json;
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        const { status, json } = await client.uploadImages(client_token, [
          image('document_front', content),
        ]);
        expect(status).toBe(200);
        expect(json).toEqual({ issues, issue_details, next_step: 'upload_document_front' });
      }
      const { json } = await client.uploadImages(client_token, [FRONT]);
      expect(json).toEqual({ issues: [], issue_details: {}, next_step: 'upload_document_back' });
      expect((await client.fetch(access_token)).json.action).toBe('');
    });

    it('are those in the first 1000 bytes', async () => {
      const client = await start();
      const token = (await client.createApiOnly()).json.client_token;
      const long = image('document_front', `issue:${'x'.repeat(2000)}`);
      const { issues } = (await client.uploadImages(token, [long])).json;
      expect(issues).toEqual(['x'.repeat(1000 - 'issue:'.length)]);
    });

    it('reports the visa page of a passport', async () => {
      const client = await start();
      const token = (await client.createApiOnly({ id_type: 'P' })).json.client_token;
      const visa = image('document_front', 'issue:unsupported_id_type');
      expect((await client.uploadImages(token, [visa])).json.issue_details).toEqual({
        unsupported_id_type: { visa_page_of_passport: true },
      });
    });

    it('are found in any of the images, and in an earlier barcode', async () => {
      const client = await start({ apiOnlySelfie: 'liveness' });
      const token = (await client.createApiOnly({ id_type: 'DL' })).json.client_token;
      await client.uploadImages(token, [FRONT]);
      const barcode = (extracted_data: string) => ({
        ...BACK,
        supplementary_data: { extracted_barcode: { barcode_type: 'pdf417', extracted_data } },
      });
      const half = await client.uploadImages(token, [
        barcode(base64('issue:incomplete_barcode_detected')),
      ]);
      expect(half.json).toMatchObject({
        issues: ['incomplete_barcode_detected'],
        next_step: 'upload_document_back',
      });
      await client.uploadImages(token, [barcode(base64('@ANSI'))]);
      const [left, front] = LIVENESS;
      const right = image('selfie_right', 'issue:bad_selfie');
      const bad = await client.uploadImages(token, [left, front, right]);
      expect(bad.json).toMatchObject({
        issues: ['bad_selfie'],
        next_step: 'upload_selfie_liveness',
      });
      expect((await client.uploadImages(token, LIVENESS)).json.next_step).toBe('done');
    });

    it.each([
      ['barcode', 'upload_document_barcode'],
      ['barcode-or-photo', 'upload_document_front'],
    ] as const)('continue with %s after a failed scan', async (apiOnlyDocument, next_step) => {
      const client = await start({ apiOnlyDocument });
      const token = (await client.createApiOnly({ id_type: 'P' })).json.client_token;
      const issue = 'issue:incomplete_barcode_detected';
      // A photo of the barcode can always be taken again.
      const photo = await client.uploadImages(token, [image('document_barcode', issue)]);
      expect(photo.json.next_step).toBe('upload_document_barcode');
      const failed = await client.uploadIdScan(token, [scan(issue)]);
      expect(failed.json).toEqual({
        issues: ['incomplete_barcode_detected'],
        issue_details: {},
        next_step,
      });
      const last = next_step === 'upload_document_front' ? FRONT : BARCODE;
      expect((await client.uploadImages(token, [last])).json.next_step).toBe('done');
    });

    it('leave the selfie for after the photos of a failed scan', async () => {
      const client = await start({
        apiOnlyDocument: 'barcode-or-photo',
        apiOnlySelfie: 'liveness',
      });
      const { client_token, access_token } = (await client.createApiOnly({ id_type: 'P' })).json;
      await client.uploadIdScan(client_token, [scan('issue:bad_upload')]);
      const photo = await client.uploadImages(client_token, [FRONT]);
      expect(photo.json.next_step).toBe('upload_selfie_liveness');
      // Without the consent, its flags do not count.
      const images = [image('selfie_front', 'flag:made_up'), ...LIVENESS.filter((_, i) => i !== 1)];
      expect((await client.uploadImages(client_token, images)).json.next_step).toBe('done');
      expect((await client.fetch(access_token)).json.flags).toEqual([]);
    });

    it.each([true, false])('have flags in a selfie only with the consent: %j', async (consent) => {
      const client = await start({ apiOnlySelfie: 'basic' });
      const { client_token, access_token } = (
        await client.createApiOnly(
          { id_type: 'P' },
          { consents_to_automated_facial_recognition: consent },
        )
      ).json;
      const front = image('document_front', 'flag:id_expired,id_under_18');
      await client.uploadImages(client_token, [front]);
      const selfie = image('selfie_front', 'flag:made_up,id_expired');
      expect((await client.uploadImages(client_token, [selfie])).json.next_step).toBe('done');
      expect((await client.fetch(access_token)).json).toMatchObject({
        flags: ['id_expired', 'id_under_18', ...(consent ? ['made_up'] : [])],
        action: 'reject',
      });
    });
  });

  describe('with unusual or invalid bodies', () => {
    const barcode = (extracted: unknown) => [
      { ...BACK, supplementary_data: { extracted_barcode: extracted } },
    ];

    it.each([
      [undefined, 'images must be a list'],
      [FRONT, 'images must be a list'],
      ['document_front', 'images must be a list'],
      [['document_front'], 'images must be a list'],
      [[], 'images must be one image'],
      [[FRONT, FRONT], 'images must be one image'],
      [[FRONT, BACK], 'images must be one image'],
      [LIVENESS.slice(1), 'images must be one image'],
      [LIVENESS.slice(0, 1), 'images must be one image'],
      [[SELFIE, SELFIE, SELFIE], 'images must be one image'],
      [[...LIVENESS, SELFIE], 'images must be one image'],
      [[image('document')], 'image_subject must be one of document_front,'],
      [[{ ...FRONT, image_subject: undefined }], 'image_subject is missing'],
      [[{ ...FRONT, format: 'image/gif' }], 'format must be one of image/jpeg,'],
      [[{ ...FRONT, data: undefined }], 'data is missing'],
      [[{ ...FRONT, data: '' }], 'data is missing'],
      [[{ ...FRONT, data: 5 }], 'data must be a string'],
      [[{ ...FRONT, data: 'data:image/jpeg;base64,AAAA' }], 'data must be base64'],
      [[{ ...FRONT, data: 'AAA' }], 'data must be base64'],
      [[{ ...FRONT, data: 'AA-_' }], 'data must be base64'],
      [[{ ...FRONT, data: 'AAAA BBBB' }], 'data must be base64'],
      [[{ ...FRONT, data: '====' }], 'data must be base64'],
      [[{ ...FRONT, data: '\n' }], 'data must be base64'],
      [[{ ...BACK, supplementary_data: 'x' }], 'supplementary_data must be an object'],
      [barcode('x'), 'extracted_barcode must be an object'],
      [barcode({ barcode_type: 'qr', extracted_data: 'AAAA' }), 'barcode_type must be pdf417'],
      [barcode({ barcode_type: 'pdf417' }), 'extracted_data is missing'],
      [barcode({ barcode_type: 'pdf417', extracted_data: '!' }), 'extracted_data must be base64'],
    ])('refuses the images %j', async (images, mention) => {
      const client = await start();
      const token = (await client.createApiOnly()).json.client_token;
      const { status, json } = await client.uploadImages(token, images);
      expect(status).toBe(400);
      expect(json).toEqual({
        code: 400,
        readable: 'invalid_request',
        message: expect.stringContaining(mention),
      });
    });

    it.each([
      [undefined, 'id_scans must be a list'],
      [[], 'id_scans must have one element'],
      [[scan(), scan()], 'id_scans must have one element'],
      [[{ ...scan(), scan_type: 'qr' }], 'scan_type must be pdf417'],
      [[{ ...scan(), scan_type: undefined }], 'scan_type is missing'],
      [[{ ...scan(), extracted_data: '*' }], 'extracted_data must be base64'],
    ])('refuses the ID scans %j', async (scans, mention) => {
      const client = await start({ apiOnlyDocument: 'barcode' });
      const token = (await client.createApiOnly()).json.client_token;
      const { status, json } = await client.uploadIdScan(token, scans);
      expect(status).toBe(400);
      expect(json).toMatchObject({ code: 400, message: expect.stringContaining(mention) });
    });

    it('accepts base64 with line breaks, a missing format, and null for missing values', async () => {
      const client = await start();
      const token = (await client.createApiOnly()).json.client_token;
      const data = base64('a picture of a document').replaceAll(/.{8}/g, '$&\r\n');
      const front = { image_subject: 'document_front', data, format: '', supplementary_data: null };
      expect((await client.uploadImages(token, [front])).status).toBe(200);
    });

    it('accepts a body of 20 MiB, and refuses a larger one', async () => {
      const client = await start();
      const token = (await client.createApiOnly()).json.client_token;
      const frame = JSON.stringify({ images: [{ ...FRONT, data: '' }] }).length;
      // Base64 comes in fours; spaces between two members fill it up.
      const data = 'A'.repeat(Math.floor((20 * MIB - frame) / 4) * 4);
      const text = JSON.stringify({ images: [{ ...FRONT, data }] });
      const send = async (bytes: number) => {
        const body = text.slice(0, -1) + ' '.repeat(bytes - text.length) + text.slice(-1);
        return client.send('POST', '/v0/images/upload', { authorization: `Bearer ${token}`, body });
      };
      const tooLarge = await send(20 * MIB + 1);
      expect(tooLarge.json).toMatchObject({ code: 413, readable: 'payload_too_large' });
      expect(tooLarge.headers['access-control-allow-origin']).toBe('*');
      expect((await send(20 * MIB)).status).toBe(200);
    });
  });

  describe('are accepted from someone', () => {
    it('who has the client token of an API-only transaction', async () => {
      const client = await start();
      const { json: created } = await client.createApiOnly();
      const token = String(created.client_token);
      const refused = [
        ...(await both(client, undefined)),
        ...(await both(client, `Bearer ${token}x`)),
        ...(await both(client, 'Bearer a.b.c')),
      ];
      client.sandbox.clock.advance(3_600_000);
      refused.push(...(await both(client, `Bearer ${token}`)));
      for (const { status, json } of refused) {
        expect(status).toBe(401);
        expect(json).toMatchObject({ code: 401, readable: 'invalid_client_token' });
      }
    });

    it.each(['access_token', 'refresh_token'])('who has no %s instead', async (kind) => {
      const client = await start();
      const { json: created } = await client.createApiOnly();
      for (const { status, json } of await both(client, `Bearer ${created[kind]}`)) {
        expect(status).toBe(403);
        expect(json).toMatchObject({ code: 403, readable: 'wrong_token_kind' });
      }
    });

    it('whose transaction is API-only, and still there', async () => {
      const client = await start();
      const { json: other } = await client.create();
      for (const { status, json } of await both(client, `Bearer ${other.client_token}`)) {
        expect(status).toBe(403);
        expect(json).toMatchObject({ code: 403, readable: 'not_allowed' });
      }
      // Whatever the upload is.
      expect((await client.uploadImages(other.client_token, 'x')).status).toBe(403);
      const { json: gone } = await client.createApiOnly();
      await client.delete(gone.access_token);
      for (const { status, json } of await both(client, `Token ${gone.client_token}`)) {
        expect(status).toBe(410);
        expect(json).toMatchObject({ code: 410, readable: 'transaction_gone' });
      }
    });
  });
});

const UPLOADS = {
  front: upload('upload_document_front', [FRONT]),
  back: upload('upload_document_back', [BACK]),
  basic: upload('upload_selfie_basic', [SELFIE]),
  liveness: upload('upload_selfie_liveness', LIVENESS),
  barcode: upload('upload_document_barcode', [BARCODE]),
  scan: {
    step: 'upload_document_barcode',
    send: (client: RawClient, token: unknown) => client.uploadIdScan(token, [scan()]),
  },
};

function upload(step: string, images: object[]) {
  return {
    step,
    send: (client: RawClient, token: unknown) => client.uploadImages(token, images),
  };
}

/** The same to both endpoints. */
function both(client: RawClient, authorization: string | undefined) {
  const call = { authorization, body: { images: [FRONT], id_scans: [scan()] } };
  return Promise.all([
    client.send('POST', '/v0/images/upload', call),
    client.send('POST', '/v0/idscans/upload', call),
  ]);
}
