import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { Tokens } from 'berbix';
import { BerbixModule, BerbixTokenService, InMemoryTokenStore } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { API_SECRET } from './harness/api.js';
import { answer } from './harness/peer.js';
import { isStore, openStore } from './harness/stores.js';

/** What a process of a fleet does in a turn. */
export interface FleetTask {
  /** Before anything counts: those who start have no tokens. */
  leadMs: number;
  ms: number;
  callers: number;
  transactions: readonly string[];
}

/** What it did. */
export interface FleetTurn {
  /** What each call took. */
  microseconds: number[];
  failed: number;
  /** Tokens that had expired when they were handed out. */
  expired: number;
}

/** Gets an access token of a transaction. */
type GetAccessToken = (transactionId: string) => Promise<string | undefined>;

/** The mean time that a caller works with a token, in milliseconds. */
const PAUSE_MS = 10;

/** All processes have the same key; it is only for the benchmark. */
const KEY = createHash('sha256').update('nestjs-berbix benchmark').digest();

/** What the application has in a table of its own. */
const refreshTokenOf = (transactionId: string): string => `rt_${transactionId}`;

/** `fresh()` with a shared store or the memory of this process, encrypted. */
async function openService(
  contestant: string,
  apiHost: string,
  place: string,
): Promise<GetAccessToken> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({
      apiSecret: API_SECRET,
      apiHost,
      store: isStore(contestant) ? openStore(contestant, place) : new InMemoryTokenStore(),
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

/** The application keeps the tokens of each transaction in memory, as the SDK has them. */
async function openSdk(apiHost: string): Promise<GetAccessToken> {
  const { Client, Tokens } = await import('berbix');
  const client = new Client({ apiSecret: API_SECRET, apiHost });
  const known = new Map<string, Tokens>();
  return async (transactionId) => {
    const tokens = known.get(transactionId) ?? Tokens.fromRefresh(refreshTokenOf(transactionId));
    known.set(transactionId, tokens);
    // Each method of the SDK calls this before it calls the API.
    // oxlint-disable-next-line no-underscore-dangle
    await client._refreshIfNecessary(tokens);
    return tokens.accessToken;
  };
}

const [url, contestant, place] = process.argv.slice(2) as [string, string, string];
const getAccessToken =
  contestant === 'sdk' ? await openSdk(url) : await openService(contestant, url, place);

answer(async ({ leadMs, ms, callers, transactions }: FleetTask): Promise<FleetTurn> => {
  const turn: FleetTurn = { microseconds: [], failed: 0, expired: 0 };
  const from = performance.now() + leadMs;
  const until = from + ms;
  const caller = async (): Promise<void> => {
    await sleep(Math.random() * PAUSE_MS);
    while (performance.now() < until) {
      const transactionId = transactions[Math.floor(Math.random() * transactions.length)] as string;
      const start = performance.now();
      try {
        const accessToken = await getAccessToken(transactionId);
        const took = performance.now() - start;
        const leftMs = expiryOf(accessToken, transactionId) - Date.now();
        if (start < from) continue;
        turn.microseconds.push(Math.round(took * 1_000));
        if (leftMs <= 0) turn.expired++;
      } catch {
        turn.failed++;
      } finally {
        await sleep(PAUSE_MS * (0.5 + Math.random()));
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return turn;
});

/** When the access token expires, by the API's clock, which is this machine's. */
function expiryOf(accessToken: string | undefined, transactionId: string): number {
  const [, expiry, ...whose] = accessToken?.split('_') ?? [];
  if (whose.join('_') !== `rt_${transactionId}`) throw new Error('Not a token of the transaction.');
  return Number(expiry);
}
