import { Agent } from 'node:https';
import { HttpModule, HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { API_SECRET } from '../../support/api.js';
import type { OpenSubject } from '../../support/subject.js';
import { callers, type ExchangeTask } from '../callers.js';

/** What a Nest application without this package would write. */
export const open: OpenSubject<ExchangeTask> = async (apiUrl) => {
  const application = await NestFactory.createApplicationContext(
    HttpModule.register({ httpsAgent: new Agent({ keepAlive: true }) }),
    { logger: false },
  );
  const http = application.get(HttpService);
  const authorization = `Basic ${Buffer.from(`${API_SECRET}:`).toString('base64')}`;
  return callers(async (refreshToken) => {
    const { data } = await firstValueFrom(
      http.post<{ access_token: string }>(
        `${apiUrl}/v0/tokens`,
        { refresh_token: refreshToken, grant_type: 'refresh_token' },
        { headers: { authorization } },
      ),
    );
    return data.access_token;
  });
};
