import { Pool } from 'undici';
import { API_SECRET } from '../../support/api.js';
import type { OpenSubject } from '../../support/subject.js';
import { callers, type ExchangeTask } from '../callers.js';

/** The least that an exchange can cost: undici with nothing around it. */
export const open: OpenSubject<ExchangeTask> = async (apiUrl) => {
  const pool = new Pool(apiUrl, { connections: 32 });
  const authorization = `Basic ${Buffer.from(`${API_SECRET}:`).toString('base64')}`;
  return callers(async (refreshToken) => {
    const { body } = await pool.request({
      method: 'POST',
      path: '/v0/tokens',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ refresh_token: refreshToken, grant_type: 'refresh_token' }),
    });
    const { access_token: accessToken } = (await body.json()) as { access_token: string };
    return accessToken;
  });
};
