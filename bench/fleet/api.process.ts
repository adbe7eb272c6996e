import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createCertificate } from '../support/certificate.js';
import { answer } from '../support/peer.js';
import type { ApiQuestion, ApiState } from './api.js';

/** How long an exchange takes at the API, in milliseconds. */
const TAKES_MS = 20;

/** Nobody should exchange a refresh token again before this share of the life of what it brought. */
const EARLY_SHARE = 0.7;

/** What the API knows of one refresh token. */
interface Session {
  underWay: number;
  /** When it was exchanged last, as `performance.now()`. */
  exchangedAt: number;
}

const lifetimeMs = Number(process.argv[2]);
const { key, cert } = await createCertificate();
const sessions = new Map<string, Session>();
let counts = { exchanges: 0, mostAtOnce: 0, early: 0 };

const server = createServer({ key, cert, keepAliveTimeout: 600_000 }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string };
    const session = begin(refreshToken);
    setTimeout(() => {
      session.underWay--;
      const text = JSON.stringify(tokensFor(refreshToken));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    }, TAKES_MS);
  });
});

function begin(refreshToken: string): Session {
  const session = sessions.get(refreshToken) ?? { underWay: 0, exchangedAt: -Infinity };
  sessions.set(refreshToken, session);
  const now = performance.now();
  counts.exchanges++;
  if (now - session.exchangedAt < EARLY_SHARE * lifetimeMs) counts.early++;
  session.exchangedAt = now;
  session.underWay++;
  counts.mostAtOnce = Math.max(counts.mostAtOnce, session.underWay);
  return session;
}

/** The access token says when it ends and whose it is. */
function tokensFor(refreshToken: string): object {
  return {
    entity: 'transaction_tokens',
    transaction_id: Number(refreshToken.slice('rt_'.length)),
    access_token: `at_${Date.now() + lifetimeMs}_${refreshToken}`,
    client_token: `${'h'.repeat(36)}.${'p'.repeat(120)}.${'s'.repeat(43)}`,
    expires_in: lifetimeMs / 1000,
    token_type: 'bearer',
  };
}

await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

answer((question: ApiQuestion): ApiState => {
  const state = { url, ca: cert, ...counts };
  if (question === 'begin') counts = { exchanges: 0, mostAtOnce: 0, early: 0 };
  return state;
});
