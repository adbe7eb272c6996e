import { describe, expect, it, jest } from '@jest/globals';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { startSandbox } from '../support/services.js';
import { FRONT } from './support/images.js';
import { RawClient } from './support/raw-client.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const CARD = { response_payload: 'us-dl', override_fields: { id_number: 'D7' } };

describe('Retention', () => {
  it.each([undefined, 7])('purges everything after %j days', async (retentionDays) => {
    // The tokens live longer than the data, to see what becomes of them.
    const sandbox = await startSandbox({
      tokenTtlSeconds: 315_360_000,
      ...(retentionDays && { retentionDays }),
    });
    const client = new RawClient(sandbox);
    const { json } = await client.createApiOnly({ id_type: 'P' });
    sandbox.clock.advance((retentionDays ?? 30) * DAY_MS - HOUR_MS);
    expect((await client.refresh(json.refresh_token)).status).toBe(200);
    expect((await client.uploadImages(json.client_token, [FRONT])).status).toBe(200);
    expect((await client.fetch(json.access_token)).json.action).toBe('accept');
    sandbox.clock.advance(HOUR_MS);
    const answers = [
      await client.refresh(json.refresh_token),
      await client.fetch(json.access_token),
      await client.update(json.access_token, { action: 'reject' }),
      await client.override(json.access_token, CARD),
      await client.uploadImages(json.client_token, [FRONT]),
      await client.delete(json.access_token),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(410);
      expect(answer.json).toMatchObject({ code: 410, readable: 'transaction_gone' });
    }
    // It is not hidden but gone.
    sandbox.clock.reset();
    expect((await client.fetch(json.access_token)).status).toBe(410);
  });

  it('ends at the exact millisecond', async () => {
    const sandbox = await startSandbox({ retentionDays: 1, tokenTtlSeconds: 315_360_000 });
    const client = new RawClient(sandbox);
    const now = sandbox.clock.now();
    const time = jest.spyOn(sandbox.clock, 'now').mockReturnValue(now);
    const { access_token } = (await client.create()).json;
    const [transaction] = await sandbox.transactions.list();
    expect(Number(transaction?.purgesAt)).toBe(now + DAY_MS);
    for (const [ms, status] of [
      [DAY_MS - 1, 200],
      [DAY_MS, 410],
    ] as const) {
      time.mockReturnValue(now + ms);
      expect((await client.fetch(access_token)).status).toBe(status);
    }
    time.mockRestore();
  });

  it('leaves no duplicates', async () => {
    const sandbox = await startSandbox({ retentionDays: 1 });
    const client = new RawClient(sandbox);
    const old = await client.create({ customer_uid: 'bob' });
    await client.override(old.json.access_token, CARD);
    sandbox.clock.advance(DAY_MS);
    const { access_token } = (await client.create()).json;
    await client.override(access_token, CARD);
    expect((await client.fetch(access_token)).json.duplicates).toEqual([]);
  });
});

describe('The limit of test transactions', () => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    return new RawClient(await startSandbox(options));
  }

  async function complete(client: RawClient): Promise<void> {
    const { access_token } = (await client.create()).json;
    expect((await client.override(access_token, CARD)).status).toBe(204);
  }

  /** Says for how many milliseconds. */
  async function refusedFor(client: RawClient): Promise<number> {
    const { status, headers, json } = await client.create();
    expect(status).toBe(429);
    expect(json).toMatchObject({ code: 429, readable: 'rate_limited' });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    return Number(headers['retry-after']) * 1000;
  }

  it('counts those completed within four hours', async () => {
    const client = await start({ testCompletionLimit: 2 });
    const { clock } = client.sandbox;
    for (let created = 0; created < 3; created += 1) await client.create();
    await complete(client);
    clock.advance(HOUR_MS);
    const { access_token } = (await client.create()).json;
    await complete(client);
    // Three hours are left of the window of the first, less what the test itself has taken.
    const wait = await refusedFor(client);
    expect(wait).toBeLessThanOrEqual(3 * HOUR_MS);
    expect(wait).toBeGreaterThan(2 * HOUR_MS);

    // One that exists may be completed, and counts: now the second has to leave the window too.
    expect((await client.override(access_token, CARD)).status).toBe(204);
    clock.advance(wait);
    const more = await refusedFor(client);
    expect(more).toBeLessThanOrEqual(HOUR_MS);
    clock.advance(more);
    expect((await client.create()).status).toBe(200);
  });

  it('is reported only if the request has no mistake of its own', async () => {
    const client = await start({ testCompletionLimit: 1, facialRecognition: false });
    await complete(client);
    expect((await client.create({ template_key: 'tpk_unknown' })).status).toBe(400);
    const consent = { consents_to_automated_facial_recognition: true };
    expect((await client.create(consent)).status).toBe(403);
    expect((await client.create()).status).toBe(429);
  });

  it('does not apply by default', async () => {
    const client = await start();
    for (let round = 0; round < 5; round += 1) await complete(client);
    expect((await client.create()).status).toBe(200);
  });

  it('does not apply to live mode', async () => {
    const client = await start({ testCompletionLimit: 1 });
    const live = new RawClient(client.sandbox, client.sandbox.liveApiSecret);
    for (let round = 0; round < 2; round += 1) {
      const { client_token } = (await live.createApiOnly({ id_type: 'P' })).json;
      expect((await live.uploadImages(client_token, [FRONT])).json.next_step).toBe('done');
    }
    await complete(client);
    expect((await client.create()).status).toBe(429);
    expect((await live.create()).status).toBe(200);
  });
});
