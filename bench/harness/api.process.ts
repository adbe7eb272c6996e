import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApiPlan, ApiQuestion, ApiState } from './api.js';
import { createCertificate } from './certificate.js';
import { answer } from './peer.js';

/** Longer than any pause between turns: no turn pays for connections that were closed meanwhile. */
const KEEP_ALIVE_MS = 600_000;

/** Nobody should exchange a refresh token again before this share of the life of its tokens. */
const EARLY_SHARE = 0.7;

/** What is known of one refresh token. */
interface Session {
  inFlight: number;
  /** When it was last exchanged, by `performance.now()`. */
  exchangedAt: number;
}

const { takesMs, lifetimeMs } = JSON.parse(process.argv[2] as string) as ApiPlan;
const { key, cert } = await createCertificate();
const sessions = new Map<string, Session>();
let counts = { exchanges: 0, concurrent: 0, early: 0 };

const server = createServer({ key, cert, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string };
    const isExchange = request.url === '/v0/tokens' && request.headers.authorization !== undefined;
    counts.exchanges++;
    const send = (): void => {
      const text = JSON.stringify(tokensFor(refreshToken));
      response.writeHead(isExchange ? 200 : 400, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    };
    if (takesMs === 0) return send();
    const session = begin(refreshToken);
    setTimeout(() => {
      session.inFlight--;
      send();
    }, takesMs);
  });
});

/**
 * Kept only with `takesMs`; otherwise each exchange has a new refresh token, and the map would
 * grow.
 */
function begin(refreshToken: string): Session {
  const session = sessions.get(refreshToken) ?? { inFlight: 0, exchangedAt: -Infinity };
  sessions.set(refreshToken, session);
  const now = performance.now();
  if (now - session.exchangedAt < EARLY_SHARE * lifetimeMs) counts.early++;
  session.exchangedAt = now;
  session.inFlight++;
  counts.concurrent = Math.max(counts.concurrent, session.inFlight);
  return session;
}

/**
 * The access token says when it expires and whose it is, so that each caller can check the answer.
 * The refresh token of a stored transaction ends with its id.
 */
function tokensFor(refreshToken: string): object {
  const id = Number(refreshToken.slice('rt_'.length));
  return {
    entity: 'transaction_tokens',
    transaction_id: Number.isSafeInteger(id) ? id : 1_234_123_412_341_234,
    access_token: `at_${Date.now() + lifetimeMs}_${refreshToken}`,
    client_token: `${'h'.repeat(36)}.${'p'.repeat(120)}.${'s'.repeat(43)}`,
    expires_in: lifetimeMs / 1_000,
    token_type: 'bearer',
  };
}

await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

answer((question: ApiQuestion): ApiState => {
  const state = { url, ca: cert, ...counts };
  if (question === 'reset') counts = { exchanges: 0, concurrent: 0, early: 0 };
  return state;
});
