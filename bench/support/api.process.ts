import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createCertificate } from './certificate.js';
import { answer } from './peer.js';
import type { ApiState } from './api.js';

/** Longer than any pause between turns: no turn pays for connections that were closed meanwhile. */
const KEEP_ALIVE_MS = 600_000;

const { key, cert } = await createCertificate();
let exchanges = 0;

const server = createServer({ key, cert, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const text = JSON.stringify(tokensFor(body));
    response.writeHead(request.url === '/v0/tokens' && request.headers.authorization ? 200 : 400, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});

/** The access token ends with the refresh token: each caller can tell that the answer is its own. */
function tokensFor(body: string): object {
  const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string };
  exchanges += 1;
  return {
    entity: 'transaction_tokens',
    transaction_id: 1_234_123_412_341_234,
    access_token: `at_${exchanges}_${refreshToken}`,
    client_token: `${'h'.repeat(36)}.${'p'.repeat(120)}.${'s'.repeat(43)}`,
    expires_in: 3600,
    token_type: 'bearer',
  };
}

await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

answer((): ApiState => ({ url, ca: cert, exchanges }));
