import { describe, expect, it, jest } from '@jest/globals';
import { type BerbixSandboxOptions, SandboxClock } from 'nestjs-berbix/sandbox';
import { TokenSigner, TokenWriter } from '../../lib/sandbox/auth/tokens.js';
import { resolveSettings } from '../../lib/sandbox/resolve-settings.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { basic, RawClient } from './support/raw-client.js';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}

describe.each(PLATFORMS)('POST /v0/tokens on %s', (platform) => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    return new RawClient(await startSandboxOn(platform, options));
  }

  it.each(['omit', 'echo'] as const)('refreshes three times: %s', async (refreshToken) => {
    const client = await start({ refreshToken });
    const created = (await client.create()).json;
    const accessTokens = new Set([created.access_token]);
    for (let round = 1; round <= 3; round += 1) {
      const { status, json } = await client.refresh(created.refresh_token);
      expect(status).toBe(200);
      expect(json).toEqual({
        entity: 'transaction_tokens',
        transaction_id: created.transaction_id,
        access_token: expect.any(String),
        client_token: expect.any(String),
        token_type: 'bearer',
        expires_in: 3600,
        ...(refreshToken === 'echo' && { refresh_token: created.refresh_token }),
      });
      accessTokens.add(json.access_token);
    }
    expect(accessTokens.size).toBe(4);
    // All of them work until they expire.
    for (const token of accessTokens) expect((await client.fetch(token)).status).toBe(200);
  });

  it('refreshes three times: rotate', async () => {
    const client = await start({ refreshToken: 'rotate' });
    let current = (await client.create()).json.refresh_token;
    for (let round = 1; round <= 3; round += 1) {
      const { status, json } = await client.refresh(current);
      expect(status).toBe(200);
      expect(json.refresh_token).toMatch(/^rt_/);
      expect(json.refresh_token).not.toBe(current);
      const again = await client.refresh(current);
      expect(again.json).toMatchObject({ code: 401, readable: 'invalid_refresh_token' });
      current = json.refresh_token;
    }
    expect((await client.refresh(current)).status).toBe(200);
  });

  it('ends a grace, and the life of an access token, at the exact millisecond', async () => {
    const client = await start({ refreshToken: 'rotate', rotationGraceSeconds: 600 });
    const { clock } = client.sandbox;
    const now = clock.now();
    const time = jest.spyOn(clock, 'now').mockReturnValue(now);
    const first = (await client.create()).json;
    const second = (await client.refresh(first.refresh_token)).json;
    for (const [ms, status] of [
      [599_999, 200],
      [600_000, 401],
    ] as const) {
      time.mockReturnValue(now + ms);
      expect((await client.refresh(first.refresh_token)).status).toBe(status);
    }
    for (const [ms, status] of [
      [3_599_999, 200],
      [3_600_000, 401],
    ] as const) {
      time.mockReturnValue(now + ms);
      expect((await client.fetch(second.access_token)).status).toBe(status);
    }
    time.mockRestore();
  });

  it('accepts the old token during the grace, with the same successor', async () => {
    const client = await start({ refreshToken: 'rotate', rotationGraceSeconds: 600 });
    const first = (await client.create()).json.refresh_token;
    const second = (await client.refresh(first)).json.refresh_token;
    client.sandbox.clock.advance(300_000);
    expect((await client.refresh(first)).json.refresh_token).toBe(second);
    client.sandbox.clock.advance(300_000);
    expect((await client.refresh(first)).json).toMatchObject({ code: 401 });
    const third = (await client.refresh(second)).json.refresh_token;
    expect(third).not.toBe(second);
    expect((await client.refresh(second)).json.refresh_token).toBe(third);
    // Two rotations ago is too long ago, grace or not.
    expect((await client.refresh(first)).json).toMatchObject({ code: 401 });
  });

  it('accepts a request with the grant type or without one, and refuses other types', async () => {
    const client = await start();
    const { refresh_token: token } = (await client.create()).json;
    for (const grant_type of ['refresh_token', undefined, null, '']) {
      expect((await client.refresh(token, { grant_type })).status).toBe(200);
    }
    for (const grant_type of ['authorization_code', 'REFRESH_TOKEN']) {
      const { json } = await client.refresh(token, { grant_type });
      expect(json).toMatchObject({ code: 400, readable: 'unsupported_grant_type' });
    }
    expect((await client.refresh(token, { grant_type: 5 })).json).toMatchObject({
      code: 400,
      message: 'grant_type must be a string.',
    });
  });

  it.each([undefined, null, '', 5, ['x'], {}])('refuses the refresh token %j', async (token) => {
    const { status, json } = await (await start()).refresh(token);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 400, readable: 'invalid_request' });
    expect(json.message).toContain('refresh_token');
  });

  it('does not accept a token that is not a refresh token of this mode', async () => {
    const client = await start();
    const live = new RawClient(client.sandbox, client.sandbox.liveApiSecret);
    const [test, other] = [(await client.create()).json, (await live.create()).json];
    expect((await live.refresh(other.refresh_token)).status).toBe(200);
    for (const token of [
      other.refresh_token,
      test.access_token,
      test.client_token,
      'rt_unknown',
      'x'.repeat(100_000),
      `${String(test.refresh_token)}A`,
      String(test.refresh_token).toLowerCase(),
    ]) {
      const { status, json, text } = await client.refresh(token);
      expect(status).toBe(401);
      expect(json).toMatchObject({ code: 401, readable: 'invalid_refresh_token' });
      expect(text).not.toContain(String(token).slice(0, 10));
    }
    expect((await live.refresh(test.refresh_token)).status).toBe(401);
  });

  it('authenticates nobody without one of its two secrets', async () => {
    const client = await start();
    const { apiSecret } = client.sandbox;
    for (const authorization of [
      undefined,
      'Basic',
      'Basic !!',
      `Basic ${base64(apiSecret)}`,
      `Basic ${base64(`${apiSecret}:password`)}`,
      `Basic ${base64(`:${apiSecret}`)}`,
      `Basic ${base64(`${apiSecret}::`)}`,
      `Bearer ${apiSecret}`,
      basic(apiSecret).replace('Basic', 'Bearer'),
      basic('secret_test_wrong'),
      basic(''),
    ]) {
      for (const path of ['/v0/tokens', '/v0/transactions']) {
        // Who asks comes before what is asked.
        const { status, json, text } = await client.send('POST', path, {
          authorization,
          body: 'x',
        });
        expect(status).toBe(401);
        expect(json).toMatchObject({ code: 401, readable: 'invalid_api_secret' });
        expect(text).not.toContain(apiSecret);
      }
    }
    const created = await client.create();
    const lowerCase = basic(apiSecret).replace('Basic', 'basic');
    const answer = await client.send('POST', '/v0/tokens', {
      authorization: lowerCase,
      body: { refresh_token: created.json.refresh_token },
    });
    expect(answer.status).toBe(200);
    const spaced = { authorization: basic(apiSecret).replace(' ', '  '), body: {} };
    expect((await client.send('POST', '/v0/tokens', spaced)).status).toBe(400);
  });

  it('issues tokens with the configured lifetime', async () => {
    const client = await start({ tokenTtlSeconds: 60 });
    const created = (await client.create()).json;
    expect(created.expires_in).toBe(60);
    client.sandbox.clock.advance(30_000);
    const refreshed = (await client.refresh(created.refresh_token)).json;
    expect((await client.fetch(created.access_token)).status).toBe(200);
    client.sandbox.clock.advance(30_000);
    expect((await client.fetch(created.access_token)).status).toBe(401);
    expect((await client.fetch(refreshed.access_token)).status).toBe(200);
    client.sandbox.clock.reset();
    expect((await client.fetch(created.access_token)).status).toBe(200);
    // A refresh token has no end of its own: it lives as long as the transaction.
    client.sandbox.clock.advance(29 * 86_400_000);
    expect((await client.refresh(created.refresh_token)).status).toBe(200);
  });

  it('issues client tokens with the claims of real ones', async () => {
    const client = await start({ tokenTtlSeconds: 60, largeIds: true });
    client.sandbox.clock.set(Date.UTC(2030, 0, 1));
    const created = await client.create();
    const [header = '', claims = '', signature] = String(created.json.client_token).split('.');
    expect(decode(header)).toEqual({ alg: 'HS256', typ: 'JWT' });
    const iat = Number(decode(claims).iat);
    expect(decode(claims)).toEqual({
      uid: expect.any(Number),
      cid: expect.any(Number),
      ctt: expect.any(Number),
      htt: expect.any(Number),
      aud: 'verify.berbix.com',
      iat,
      exp: iat + 60,
      sub: /"transaction_id":(\d+)/.exec(created.text)?.[1],
    });
    expect(iat - Date.UTC(2030, 0, 1) / 1000).toBeLessThan(60);
    expect(signature).toHaveLength(43);
  });

  it('answers many requests at the same time', async () => {
    const client = await start();
    const { refresh_token: token } = (await client.create()).json;
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(token)));
    expect(new Set(answers.map(({ json }) => json.access_token)).size).toBe(20);
  });
});

it('knows until when a token is valid, and nothing from then on', () => {
  let now = 0;
  const clock = { now: () => now } as SandboxClock;
  const tokens = new TokenWriter(new TokenSigner(Buffer.alloc(32)), clock, resolveSettings());
  const subject = {
    id: '1',
    mode: 'test',
    customerUid: 'ada',
    rotation: { generation: 0 },
  } as const;
  tokens.issue(subject);
  now = 3_599_999;
  expect(tokens.expiryOf(subject)).toBe(3_600_000);
  now = 3_600_000;
  expect(tokens.expiryOf(subject)).toBeUndefined();
});

it('remembers until when the tokens of the last 10,000 transactions are valid', () => {
  const signer = new TokenSigner(Buffer.alloc(32));
  const tokens = new TokenWriter(signer, new SandboxClock(), resolveSettings());
  const subject = (id: number) =>
    ({ id: String(id), mode: 'test', customerUid: 'ada', rotation: { generation: 0 } }) as const;
  for (let id = 1; id <= 10_000; id += 1) tokens.issue(subject(id));
  expect(tokens.expiryOf(subject(1))).toBeDefined();
  // Its new tokens make it the latest, so another one is the oldest.
  tokens.issue(subject(1));
  tokens.issue(subject(10_001));
  const known = [1, 2, 3, 10_001].filter((id) => tokens.expiryOf(subject(id)) !== undefined);
  expect(known).toEqual([1, 3, 10_001]);
});
