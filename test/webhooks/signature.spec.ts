import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  BerbixConfigurationError,
  BerbixError,
  BerbixInputError,
  BerbixWebhookBodyError,
  BerbixWebhookSignatureError,
} from 'nestjs-berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import {
  BerbixWebhookDto,
  BerbixWebhookService,
  type BerbixWebhookOptions,
  type BerbixWebhookRequest,
} from '../../lib/webhooks/index.js';
import { errorOf } from '../support/errors.js';
import { usualOrLong } from '../support/long.js';
import { everyViewOf } from '../support/sinks.js';
import { mulberry32, mutate } from './support/forgeries.js';
import { SECRETS, webhookModule } from './support/webhook-app.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const SECONDS = NOW.getTime() / 1000;
const FORGERIES = usualOrLong(20_000, 100_000);
const BODY = sampleWebhookBody({ customerUid: 'ada', action: 'accept' });

async function serviceWith(options?: BerbixWebhookOptions): Promise<BerbixWebhookService> {
  const module = await Test.createTestingModule({ imports: [webhookModule(options)] }).compile();
  return module.get(BerbixWebhookService, { strict: false });
}

/** A valid delivery of the finished webhook, or one with some changes. */
function delivery(
  changes: {
    body?: string | Buffer;
    secret?: string;
    timestamp?: number;
  } & Partial<BerbixWebhookRequest> = {},
): BerbixWebhookRequest {
  const { body = BODY, secret = SECRETS.finished, timestamp = SECONDS, ...others } = changes;
  return {
    kind: 'finished',
    header: signBerbixWebhook({ secret, body, timestamp }),
    rawBody: Buffer.from(body as string),
    now: NOW,
    ...others,
  };
}

let service: BerbixWebhookService;

beforeEach(async () => {
  service = await serviceWith(SECRETS);
});

function refusalOf(request: BerbixWebhookRequest, by = service): Promise<BerbixError> {
  return errorOf(by.verify(request));
}

describe('verify', () => {
  it('returns the content of a valid webhook', async () => {
    const webhook = await service.verify(delivery());
    expect(webhook).toBeInstanceOf(BerbixWebhookDto);
    expect(webhook).toEqual({
      kind: 'finished',
      transactionId: '1234123412341234',
      customerUid: 'ada',
      action: 'accept',
      dashboardLink: 'https://docs.berbix.com',
      others: {},
    });
  });

  it('accepts the test delivery of the dashboard, at its time', async () => {
    // Shape and values of the documented one; the signature is made step by step, by the rule.
    const body =
      '{"transaction_id":1234123412341234,"customer_uid":"unique-uid","action":"test-action","dashboard_link":"https://docs.berbix.com","id":1234123412341234}\n';
    const secret = 'whs_live_0123456789abcdefghijklmnopqrstuv';
    const hmac = createHmac('sha256', Buffer.from(secret, 'utf8'));
    for (const part of ['1614990826', ',', secret, ',', body]) hmac.update(part);
    const rawBody = Buffer.from(body);
    const header = `v0,1614990826,${hmac.digest('hex')}`;
    const live = await serviceWith({ status: secret });
    const now = new Date(1_614_990_830_000);
    expect(await live.verify({ kind: 'status', header, rawBody, now })).toMatchObject({
      kind: 'status',
      transactionId: '1234123412341234',
      customerUid: 'unique-uid',
      action: 'test-action',
    });
    expect(await refusalOf({ kind: 'status', header, rawBody }, live)).toHaveProperty(
      'message',
      'The webhook was signed more than 300000 ms ago.',
    );
  });

  it('uses the clock of this machine by default', async () => {
    const timestamp = Math.floor(Date.now() / 1000);
    const { now: _, ...request } = delivery({ timestamp });
    expect(await service.verify(request)).toHaveProperty('customerUid', 'ada');
    expect((await refusalOf(delivery({ timestamp: SECONDS, now: new Date(0) }))).message).toMatch(
      'in the future; check the clock',
    );
  });

  it.each([
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
    [30_000, false],
    [-315_360_000, false],
  ])('%d s after the signature: accepted is %s', async (seconds, accepted) => {
    const request = delivery({ timestamp: SECONDS - seconds });
    if (accepted) expect(await service.verify(request)).toBeInstanceOf(BerbixWebhookDto);
    else expect(await refusalOf(request)).toBeInstanceOf(BerbixWebhookSignatureError);
  });

  it('has a configurable tolerance', async () => {
    const strict = await serviceWith({ ...SECRETS, toleranceMs: 1_000 });
    expect(await strict.verify(delivery({ timestamp: SECONDS - 1 }))).toBeDefined();
    expect((await refusalOf(delivery({ timestamp: SECONDS - 2 }), strict)).message).toBe(
      'The webhook was signed more than 1000 ms ago.',
    );
  });

  it('rejects an invalid Date', async () => {
    expect(await refusalOf(delivery({ now: new Date(Number.NaN) }))).toBeInstanceOf(
      BerbixWebhookSignatureError,
    );
  });

  it.each([SECONDS, NOW.toISOString(), null])('refuses %p as the time', async (now) => {
    const error = await refusalOf(delivery({ now: now as never }));
    expect(error).toBeInstanceOf(BerbixInputError);
    expect(error.message).toBe('now must be a Date. Omit it to use the clock of this machine.');
  });

  it('says that a forgery does not match, and that a replay is old', async () => {
    const old = SECONDS - 3600;
    expect((await refusalOf(delivery({ timestamp: old }))).message).toMatch('signed more than');
    expect((await refusalOf(delivery({ timestamp: old, secret: 'x' }))).message).toBe(
      'The webhook has a signature that matches none of the secrets.',
    );
  });

  it('accepts every current secret, and no other', async () => {
    const rotating = await serviceWith({ finished: ['old', 'new', 'newer'], status: 'other' });
    for (const secret of ['old', 'new', 'newer']) {
      expect(await rotating.verify(delivery({ secret }))).toBeDefined();
    }
    for (const secret of ['other', 'ol', 'old,new', '']) {
      const header = signBerbixWebhook({ secret: secret || 'x', body: BODY, timestamp: SECONDS });
      expect(await refusalOf(delivery({ header }), rotating)).toBeInstanceOf(
        BerbixWebhookSignatureError,
      );
    }
  });

  it('calls the function for the secrets each time', async () => {
    const secrets: (string | string[])[] = ['first', ['second', 'third']];
    const asking = await serviceWith({ finished: async () => secrets.shift() ?? 'last' });
    for (const secret of ['first', 'third', 'last']) {
      expect(await asking.verify(delivery({ secret }))).toBeDefined();
    }
    const plain = await serviceWith({ finished: () => 'mine' });
    expect(await plain.verify(delivery({ secret: 'mine' }))).toBeDefined();
  });

  it.each([
    [() => Promise.reject(new RangeError('vault/path/secret')), 'failed (RangeError)', true],
    [() => '', 'has an empty secret', false],
    [() => [], 'is an empty list', false],
    [() => undefined as unknown as string, 'has an empty secret', false],
  ])('reports that %s returns no secret', async (finished, mention, retryable) => {
    const error = await refusalOf(delivery(), await serviceWith({ finished }));
    expect(error).toBeInstanceOf(BerbixConfigurationError);
    expect(error.message).toContain(mention);
    expect(error.message).not.toContain('vault/path');
    expect(error.retryable).toBe(retryable);
  });

  it('distinguishes the two webhooks', async () => {
    for (const [kind, secret] of [
      ['finished', SECRETS.status],
      ['status', SECRETS.finished],
    ] as const) {
      expect(await refusalOf(delivery({ kind, secret }))).toBeInstanceOf(
        BerbixWebhookSignatureError,
      );
    }
    expect(await service.verify(delivery({ kind: 'status', secret: SECRETS.status }))).toEqual(
      expect.objectContaining({ kind: 'status' }),
    );
    expect(await refusalOf(delivery({ kind: 'done' as never }))).toBeInstanceOf(BerbixInputError);
  });

  it('refuses a webhook without a secret, and says which one', async () => {
    const error = await refusalOf(delivery(), await serviceWith({ status: 'x' }));
    expect(error).toBeInstanceOf(BerbixConfigurationError);
    expect(error.message).toContain('webhooks.finished');
    expect(await refusalOf(delivery(), await serviceWith())).toBeInstanceOf(
      BerbixConfigurationError,
    );
  });

  const GOOD = signBerbixWebhook({ secret: SECRETS.finished, body: BODY, timestamp: SECONDS });
  const [, , HEX] = GOOD.split(',') as [string, string, string];

  it.each([
    ['nothing', undefined, 'has no signature'],
    ['an empty one', '', 'has no signature'],
    ['a list', [GOOD], 'has more than one signature header'],
    ['two in one', `${GOOD}, ${GOOD}`, 'is not v0,<unix'],
    ['another version', `v1,${SECONDS},${HEX}`, 'is not v0,<unix'],
    ['a capital version', `V0,${SECONDS},${HEX}`, 'is not v0,<unix'],
    ['no version', `${SECONDS},${HEX}`, 'is not v0,<unix'],
    ['two parts', `v0,${SECONDS}`, 'is not v0,<unix'],
    ['a fourth part', `${GOOD},x`, 'is not v0,<unix'],
    ['an empty fourth part', `${GOOD},`, 'is not v0,<unix'],
    ['spaces', `v0, ${SECONDS}, ${HEX}`, 'is not v0,<unix'],
    ['a space at the end', `${GOOD} `, 'is not v0,<unix'],
    ['a line break at the end', `${GOOD}\n`, 'is not v0,<unix'],
    ['something before it', `x${GOOD}`, 'is not v0,<unix'],
    ['a line before it', `x\n${GOOD}`, 'is not v0,<unix'],
    ['capitals', `v0,${SECONDS},${HEX.toUpperCase()}`, 'is not v0,<unix'],
    ['too few digits', `v0,${SECONDS},${HEX.slice(1)}`, 'is not v0,<unix'],
    ['too many digits', `v0,${SECONDS},${HEX}0`, 'is not v0,<unix'],
    ['other letters', `v0,${SECONDS},${'g'.repeat(64)}`, 'is not v0,<unix'],
    ['a sign', `v0,+${SECONDS},${HEX}`, 'is not v0,<unix'],
    ['a negative time', `v0,-${SECONDS},${HEX}`, 'is not v0,<unix'],
    ['a fraction', `v0,${SECONDS}.0,${HEX}`, 'is not v0,<unix'],
    ['an exponent', `v0,1e9,${HEX}`, 'is not v0,<unix'],
    ['a word', `v0,NaN,${HEX}`, 'is not v0,<unix'],
    ['no time', `v0,,${HEX}`, 'is not v0,<unix'],
    ['a time far in the future', `v0,${'9'.repeat(13)},${HEX}`, 'is not v0,<unix'],
    ['digits of another script', `v0,١٢٣٤٥٦٧٨٩٠,${HEX}`, 'is not v0,<unix'],
    ['another time', `v0,${SECONDS + 1},${HEX}`, 'matches none of the secrets'],
    ['a zero before the time', `v0,0${SECONDS},${HEX}`, 'matches none of the secrets'],
  ])('refuses a header that is %s', async (_, header, mention) => {
    const error = await refusalOf(delivery({ header }));
    expect(error).toBeInstanceOf(BerbixWebhookSignatureError);
    expect(error.message).toContain(mention);
  });

  it.each([
    ['non-ASCII', sampleWebhookBody({ customerUid: 'Zoë 🙂 \u{2028} <b>' }), 'Zoë 🙂 \u{2028} <b>'],
    ['written by hand', '\n{ "customer_uid":"Zo\\u00eb", "transaction_id": 7 }', 'Zoë'],
  ])('accepts a body that is %s, byte for byte', async (_, body, customerUid) => {
    expect(await service.verify(delivery({ body }))).toMatchObject({ customerUid });
    const request = delivery({ body });
    for (const changed of [body.trim(), JSON.stringify(JSON.parse(body)), `${body} `]) {
      expect(await refusalOf({ ...request, rawBody: Buffer.from(changed) })).toBeInstanceOf(
        BerbixWebhookSignatureError,
      );
    }
  });

  it('accepts bytes at any offset of a buffer', async () => {
    const rawBody = new Uint8Array(Buffer.from(`xx${BODY}xx`)).subarray(2, -2);
    expect(await service.verify(delivery({ rawBody }))).toHaveProperty('customerUid', 'ada');
  });

  it.each([
    ['9223372036854775807', '9223372036854775807'],
    ['9007199254740993', '9007199254740993'],
    ['1', '1'],
  ])('keeps all digits of %s', async (id, transactionId) => {
    const body = sampleWebhookBody({ transactionId: id });
    const webhook = await service.verify(delivery({ body }));
    expect(webhook.transactionId).toBe(transactionId);
    // Its `id` is the same.
    expect(webhook.others).toEqual({});
  });

  it('keeps unknown fields, and accepts a missing action', async () => {
    const body =
      '{"transaction_id":7,"customer_uid":"ada","action":"","event":{"x":1},"__proto__":2,"id":8}';
    const webhook = await service.verify(delivery({ body }));
    expect(webhook.action).toBeUndefined();
    expect(webhook.dashboardLink).toBeUndefined();
    expect(Object.entries(webhook.others)).toEqual([
      ['id', 8],
      ['event', { x: 1 }],
      ['__proto__', 2],
    ]);
  });

  it.each([
    ['9007199254740993', '9007199254740993'],
    ['[9007199254740993]', ['9007199254740993']],
    ['1.5', 1.5],
  ])('keeps all digits of %s in unknown fields', async (text, x) => {
    const body = `{"transaction_id":7,"customer_uid":"a","x":${text}}`;
    const { others } = await service.verify(delivery({ body }));
    expect(others).toStrictEqual({ x });
  });

  it.each([
    ['', 'it is not JSON'],
    ['hello', 'it is not JSON'],
    [BODY.slice(0, -3), 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
    ['"x"', 'it is not a JSON object'],
    ['7', 'it is not a JSON object'],
    ['{}', 'transaction_id must be a positive integer; customer_uid must be a non-empty string'],
    ['{"transaction_id":7}', 'customer_uid must be a non-empty string'],
    ['{"transaction_id":-7,"customer_uid":"a"}', 'transaction_id must be a positive integer'],
    ['{"transaction_id":7.5,"customer_uid":"a"}', 'transaction_id must be a positive integer'],
    ['{"transaction_id":"x","customer_uid":"a"}', 'transaction_id must be a positive integer'],
    ['{"transaction_id":7,"customer_uid":7}', 'Berbix: customer_uid must be a non-empty string.'],
    ['{"transaction_id":7,"customer_uid":"a","action":{}}', 'action must be a string'],
    ['{"transaction_id":7,"customer_uid":"a","dashboard_link":1}', 'dashboard_link must be'],
    [Buffer.from('{"transaction_id":7,"customer_uid":"Zo\xeb"}', 'latin1'), 'it is not UTF-8'],
  ])('refuses the signed body %s', async (body, mention) => {
    const error = await refusalOf(delivery({ body, rawBody: Buffer.from(body as string) }));
    expect(error).toBeInstanceOf(BerbixWebhookBodyError);
    expect(error.message).toContain(mention);
    expect(error.message).not.toContain('hello');
  });

  it.each([[undefined], [JSON.parse(BODY)]])('says how to get the bytes: %p', async (body) => {
    const error = await refusalOf(delivery({ rawBody: body as never }));
    expect(error).toBeInstanceOf(BerbixConfigurationError);
    expect(error.message).toContain('NestFactory.create(AppModule, { rawBody: true })');
  });

  it('does not show secrets and bodies', async () => {
    const requests = [
      delivery({ secret: 'forged' }),
      delivery({ body: 'hello ada' }),
      delivery({ header: `v0,1,${'a'.repeat(64)}` }),
      delivery({ rawBody: undefined }),
    ];
    for (const request of requests) {
      const views = await everyViewOf(await refusalOf(request));
      for (const hidden of [SECRETS.finished, 'hello', 'ada', 'a'.repeat(64)]) {
        expect(views).not.toContain(hidden);
      }
    }
    expect(await everyViewOf(service)).not.toContain(SECRETS.finished);
    expect(await everyViewOf(service)).not.toContain(SECRETS.status);
  });
});

describe('forgeries', () => {
  it('are all refused', async () => {
    const rotating = await serviceWith({ finished: [SECRETS.finished, 'whs_test_next'] });
    const good = delivery();
    await rotating.verify(good);
    const random = mulberry32(20_261_123);
    let accepted = 0;
    let refused = 0;
    for (let round = 0; round < FORGERIES; round++) {
      const forged = mutate(good, random);
      try {
        await rotating.verify(forged);
        accepted++;
      } catch (error) {
        if (error instanceof BerbixWebhookSignatureError) refused++;
        else throw error;
      }
    }
    expect({ accepted, refused }).toEqual({ accepted: 0, refused: FORGERIES });
  });
});
