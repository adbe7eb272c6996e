import { createServer } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { listening, startServices, type Services } from '../support/services.js';

const ANSWER = '{"access_token":"a","client_token":"c","expires_in":60}';

/** An account whose API answers with these bytes. */
async function answeringWith(body: Buffer, encoding: string) {
  const asked: unknown[] = [];
  const url = await listening(
    createServer((request, response) => {
      request.resume();
      asked.push(request.headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    }),
  );
  const services: Services = await startServices({ apiSecret: 's', apiHost: url });
  return { ...services, asked };
}

describe('an answer', () => {
  it.each([
    ['gzip', gzipSync(ANSWER)],
    ['x-gzip', gzipSync(ANSWER)],
    ['GZIP', gzipSync(ANSWER)],
    ['deflate', deflateSync(ANSWER)],
    ['br', brotliCompressSync(ANSWER)],
    ['identity, br, gzip', gzipSync(brotliCompressSync(ANSWER))],
  ])('is read even if a gateway compressed it without a request: %s', async (encoding, body) => {
    const { tokens, asked } = await answeringWith(body, encoding);
    expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
    expect(asked).toEqual(['identity']);
  });

  it.each(['identity', 'IDENTITY', 'identity, identity', '', 'none', 'UTF-8', 'constructor'])(
    'is read if it is not compressed, regardless of the header: "%s"',
    async (encoding) => {
      const { tokens } = await answeringWith(Buffer.from(ANSWER), encoding);
      expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
    },
  );

  it('that is empty is read as such, regardless of the header', async () => {
    const { tokens } = await answeringWith(Buffer.alloc(0), 'gzip');
    const { code, message } = await errorOf(tokens.refresh('rt'));
    expect([code, message]).toEqual(['BERBIX_RESPONSE', expect.not.stringContaining('decoded')]);
  });

  it.each([
    ['in an unknown encoding', Buffer.from('(\xb5/\xfd', 'latin1'), 'zstd', /JSON/],
    [
      'truncated',
      gzipSync(ANSWER).subarray(0, 20),
      'gzip',
      /content encoding that cannot be decoded/,
    ],
    [
      'that expands to more than any answer has',
      gzipSync(Buffer.alloc(2 * 1024 * 1024)),
      'gzip',
      /larger than any answer/,
    ],
  ])('ends the call if it is %s', async (_what, body, encoding, message) => {
    const { tokens, asked } = await answeringWith(body, encoding);
    const error = await errorOf(tokens.refresh('rt'));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', retryable: false });
    expect(error.message).toMatch(message);
    expect(asked).toHaveLength(1);
    // The API answers, so the circuit stays closed.
    for (let call = 0; call < 10; call++) {
      expect((await errorOf(tokens.refresh(`rt_${call}`))).code).toBe('BERBIX_RESPONSE');
    }
  });
});
