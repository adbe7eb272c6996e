import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { basic, failureOf, RawClient, readAll } from './support/raw-client.js';

const MAX_BODY_BYTES = 20 * 1024 * 1024;

describe.each(PLATFORMS)('Errors on %s', (platform) => {
  let client: RawClient;
  let authorization: string;

  beforeAll(async () => {
    client = new RawClient(await startSandboxOn(platform));
    authorization = basic(client.sandbox.apiSecret);
  });

  it.each([
    ['POST', '/'],
    ['GET', '/v0'],
    ['POST', '/v0/token'],
    ['GET', '/v0/tokens'],
    ['PUT', '/v0/transactions'],
    ['PATCH', '/v0/tokens'],
    ['POST', '/v0/transactions/override'],
    ['GET', '/v0/images/upload'],
    ['OPTIONS', '/v0/tokens'],
    ['GET', '/sandbox/nothing'],
    ['POST', '/sandbox'],
    ['GET', '/sandboxes'],
  ])('answers 404 to %s %s', async (method, path) => {
    const { status, headers, json } = await client.send(method, path, { authorization });
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(json).toEqual({
      code: 404,
      readable: 'not_found',
      message: expect.stringMatching(/POST \/v0\/tokens.* at \/, .* at \/sandbox\.$/),
    });
  });

  it.each(['/v0/tokens', '/v0/transactions'])('wants a JSON object at %s', async (path) => {
    for (const body of [
      '',
      '{',
      'null',
      '"x"',
      '5',
      '[]',
      '[{}]',
      '{"refresh_token":"rt_secret"',
    ]) {
      const { status, json, text } = await client.send('POST', path, { authorization, body });
      expect(status).toBe(400);
      expect(json).toMatchObject({ code: 400, readable: 'invalid_request' });
      expect(text).not.toContain('rt_secret');
    }
  });

  it('ignores the content type of a request', async () => {
    const { refresh_token } = (await client.create()).json;
    for (const type of ['text/plain', 'application/json; charset=utf-8', '', 'nonsense', 'a/b;c']) {
      const { status } = await client.send('POST', '/v0/tokens', {
        authorization,
        body: { refresh_token },
        headers: { 'content-type': type },
      });
      expect(status).toBe(200);
    }
  });

  it('accepts a body in chunks', async () => {
    const { refresh_token } = (await client.create()).json;
    const call = client.open('POST', '/v0/tokens', {
      authorization,
      headers: { 'transfer-encoding': 'chunked' },
      body: { refresh_token },
    });
    const [response] = await once(call, 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  it('accepts bodies of 20 MiB, and refuses larger ones', async () => {
    const fits = '{}'.padEnd(MAX_BODY_BYTES);
    const read = await client.send('POST', '/v0/tokens', { authorization, body: fits });
    expect(read.json.message).toBe('refresh_token is missing. Send it as a string.');
    const [length, chunks] = [{}, { 'transfer-encoding': 'chunked' }];
    for (const [path, headers] of [
      ['/v0/tokens', chunks],
      ['/sandbox/faults', length],
    ] as const) {
      const body = `${fits} `;
      const refused = await client.send('POST', path, { authorization, headers, body });
      expect([refused.status, refused.json]).toEqual([
        413,
        {
          code: 413,
          readable: 'payload_too_large',
          message: 'The body is larger than 20 MiB. Send less.',
        },
      ]);
    }
    client.sandbox.requests.clear();
  });

  it('accepts a base URL with a path', async () => {
    const { refresh_token } = (await client.create()).json;
    const call = { authorization, body: { refresh_token } };
    for (const path of ['/berbix/v0/tokens', '/a/b/v0/tokens?x=/v0/y', '/v0/tokens?x=1']) {
      expect((await client.send('POST', path, call)).status).toBe(200);
      expect(client.sandbox.requests.last).toMatchObject({ path: '/v0/tokens', url: path });
    }
  });

  it('refuses a path that cannot be decoded', async () => {
    const { status, json } = await client.send('GET', '/%zz');
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 400, readable: 'invalid_request' });
  });

  it('answers in the format of the API what is not HTTP', async () => {
    const socket = connect(Number(new URL(client.sandbox.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const text = await readAll(socket);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ code: 400 });
    expect(head).toMatch(/\r\nconnection: close(\r\n|$)/);
    expect(head).toContain(`\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`);
    expect(head).toContain('\r\ncontent-type: application/json; charset=utf-8\r\n');
  });

  it('closes the connection of a request that it cannot even record', async () => {
    const { requests } = client.sandbox;
    const broken = () => {
      throw new Error('broken');
    };
    Object.assign(requests, { complete: broken });
    try {
      await expect(failureOf(client.open('POST', '/v0/tokens'))).resolves.toBe('socket hang up');
    } finally {
      Reflect.deleteProperty(requests, 'complete');
    }
    expect((await client.create()).status).toBe(200);
  });

  it('distinguishes its own failures from those of the caller', async () => {
    const lines: unknown[] = [];
    const logger = new ConsoleLogger();
    logger.error = (line: unknown) => lines.push(line);
    Logger.overrideLogger(logger);
    client.sandbox.clock.now = () => NaN;
    try {
      const { access_token } = (await client.create()).json;
      const { status, json } = await client.fetch(access_token);
      expect(status).toBe(500);
      expect(json).toEqual({
        code: 500,
        readable: 'internal_error',
        message: expect.stringContaining('please report it'),
      });
      expect(lines).toEqual([expect.stringContaining('RangeError: Invalid time value')]);
    } finally {
      Reflect.deleteProperty(client.sandbox.clock, 'now');
      Logger.overrideLogger(new ConsoleLogger());
    }
  });
});
