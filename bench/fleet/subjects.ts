import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { NestFactory } from '@nestjs/core';
import { BerbixModule, BerbixTokenService } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { API_SECRET } from '../support/api.js';
import type { Contestant } from './contestants.js';
import { openStore } from './stores.js';

/** Gets an access token of a transaction. */
export type Subject = (transactionId: string) => Promise<string | undefined>;

/** What the application has in a table of its own. */
const refreshTokenOf = (transactionId: string): string => `rt_${transactionId}`;

/** The same in all processes; of the benchmark only. */
const KEY = createHash('sha256').update('nestjs-berbix benchmark').digest();

/** `fresh()`, encrypted, on the store. */
export async function openService(
  contestant: Contestant,
  apiUrl: string,
  place: string,
): Promise<Subject> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({
      apiSecret: API_SECRET,
      apiHost: apiUrl,
      store: openStore(contestant, place),
      encryption: { keys: { k1: KEY }, current: 'k1' },
      loadTokens: async (owner) =>
        'transactionId' in owner ? refreshTokenOf(owner.transactionId) : undefined,
    }),
    { logger: false },
  );
  const service = application.get(BerbixTokenService);
  return async (transactionId) =>
    (await firstValueFrom(service.fresh({ transactionId }))).accessToken;
}

interface SdkTokens {
  accessToken?: string;
}

/** The SDK has no types. */
interface Sdk {
  Client: new (options: { apiSecret: string; apiHost: string }) => {
    _refreshIfNecessary(tokens: SdkTokens): Promise<void>;
  };
  Tokens: { fromRefresh(refreshToken: string): SdkTokens };
}

/**
 * What each method of the official SDK does before it calls the API, by the method that it does it
 * with. The application keeps the tokens of each transaction in memory, as the SDK has them.
 */
export async function openSdk(apiUrl: string): Promise<Subject> {
  const { Client, Tokens } = createRequire(import.meta.url)('berbix') as Sdk;
  const client = new Client({ apiSecret: API_SECRET, apiHost: apiUrl });
  const known = new Map<string, SdkTokens>();
  return async (transactionId) => {
    const tokens = known.get(transactionId) ?? Tokens.fromRefresh(refreshTokenOf(transactionId));
    known.set(transactionId, tokens);
    // What each of its methods calls first.
    // oxlint-disable-next-line no-underscore-dangle
    await client._refreshIfNecessary(tokens);
    return tokens.accessToken;
  };
}
