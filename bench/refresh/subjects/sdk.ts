import { createRequire } from 'node:module';
import { API_SECRET } from '../../support/api.js';
import type { OpenSubject } from '../../support/subject.js';
import { callers, type ExchangeTask } from '../callers.js';

interface SdkTokens {
  accessToken?: string;
}

/** The SDK has no types. */
interface Sdk {
  Client: new (options: { apiSecret: string; apiHost: string }) => {
    refreshTokens(tokens: SdkTokens): Promise<SdkTokens>;
  };
  Tokens: { fromRefresh(refreshToken: string): SdkTokens };
}

/** The official SDK, as its README uses it; Node keeps its connections alive since 19. */
export const open: OpenSubject<ExchangeTask> = async (apiUrl) => {
  const { Client, Tokens } = createRequire(import.meta.url)('berbix') as Sdk;
  const client = new Client({ apiSecret: API_SECRET, apiHost: apiUrl });
  return callers(async (refreshToken) => {
    const { accessToken } = await client.refreshTokens(Tokens.fromRefresh(refreshToken));
    return accessToken;
  });
};
