import { Agent } from 'node:https';
import { HttpModule, HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { Pool } from 'undici';
import { API_SECRET } from './harness/api.js';
import { measureTurn } from './harness/measure.js';
import { answer } from './harness/peer.js';
import { openTokenService } from './harness/stored-tokens.js';

/** One exchange; resolves to the access token. */
type Exchange = (refreshToken: string) => Promise<string | undefined>;

/** Exchanges by several concurrent callers, for about `ms` milliseconds. */
export interface ExchangeTask {
  callers: number;
  ms: number;
}

/** The ways of making an exchange, each for a process of its own. */
const WAYS = { undici, sdk, 'http-service': httpService, 'token-service': tokenService };
export type Way = keyof typeof WAYS;

const AUTHORIZATION = `Basic ${Buffer.from(`${API_SECRET}:`).toString('base64')}`;

/** The least that an exchange can cost: undici with nothing around it. */
async function undici(apiUrl: string): Promise<Exchange> {
  const pool = new Pool(apiUrl, { connections: 32 });
  return async (refreshToken) => {
    const { body } = await pool.request({
      method: 'POST',
      path: '/v0/tokens',
      headers: { 'content-type': 'application/json', authorization: AUTHORIZATION },
      body: JSON.stringify({ refresh_token: refreshToken, grant_type: 'refresh_token' }),
    });
    return ((await body.json()) as { access_token: string }).access_token;
  };
}

/** The official SDK, as its README uses it; Node.js keeps its connections alive. */
async function sdk(apiHost: string): Promise<Exchange> {
  const { Client, Tokens } = await import('berbix');
  const client = new Client({ apiSecret: API_SECRET, apiHost });
  return async (refreshToken) =>
    (await client.refreshTokens(Tokens.fromRefresh(refreshToken))).accessToken;
}

/** What a Nest application without this package would write. */
async function httpService(apiUrl: string): Promise<Exchange> {
  const application = await NestFactory.createApplicationContext(
    HttpModule.register({ httpsAgent: new Agent({ keepAlive: true }) }),
    { logger: false },
  );
  const http = application.get(HttpService);
  return async (refreshToken) => {
    const { data } = await firstValueFrom(
      http.post<{ access_token: string }>(
        `${apiUrl}/v0/tokens`,
        { refresh_token: refreshToken, grant_type: 'refresh_token' },
        { headers: { authorization: AUTHORIZATION } },
      ),
    );
    return data.access_token;
  };
}

/** This package: it also validates the answer, shares exchanges, and keeps deadlines. */
async function tokenService(apiUrl: string): Promise<Exchange> {
  const service = await openTokenService(apiUrl);
  return async (refreshToken) => (await firstValueFrom(service.refresh(refreshToken))).accessToken;
}

const [url, way] = process.argv.slice(2) as [string, Way];
const exchange = await WAYS[way](url);
let next = 0;

/** A new refresh token for each exchange; every answer is checked. */
async function run({ callers, ms }: ExchangeTask): Promise<number> {
  const first = next;
  const end = performance.now() + ms;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      const refreshToken = `rt_${'x'.repeat(32)}_${next++}`;
      const accessToken = await exchange(refreshToken);
      if (!accessToken?.endsWith(refreshToken)) {
        throw new Error('An exchange gave no access token, or that of another refresh token.');
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return next - first;
}

answer((task: ExchangeTask) => measureTurn(() => run(task)));
