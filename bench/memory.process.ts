import type { BerbixTokenService, BerbixTransactionRef } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { answer } from './harness/peer.js';
import {
  openOfflineService,
  textsOf,
  tokensOf,
  transactionIdOf,
  uidOf,
  type TokenTexts,
} from './harness/stored-tokens.js';

/** What is filled, and with how many transactions. */
export interface HeapTask {
  subject: 'strings' | 'transactionId' | 'customerUid';
  transactions: number;
}

/** Bytes that are left after a garbage collection. */
export interface HeapUse {
  /** Of the strings alone, or of the memory of `fresh()`. */
  bytes: number;
  /** Of what the in-memory store has besides. */
  storeBytes: number;
}

/** Transactions before the first that counts: what only the first ones need is not counted. */
const WARM_UP = 2_000;

const collect = globalThis.gc as () => void;

/** What is kept until the end. */
const kept: unknown[] = [];

answer(async ({ subject, transactions }: HeapTask): Promise<HeapUse> => {
  if (subject === 'strings') return { bytes: measureStrings(transactions), storeBytes: 0 };
  const service = await openOfflineService({ freshness: { cacheSize: transactions + WARM_UP } });
  const ownerOf = (number: number): BerbixTransactionRef =>
    subject === 'transactionId'
      ? { transactionId: transactionIdOf(number) }
      : { customerUid: uidOf(number) };
  await remember(service, transactions, transactions + WARM_UP);
  await ask(service, ownerOf, transactions, transactions + WARM_UP);
  const empty = await heap();
  await remember(service, 0, transactions);
  const stored = await heap();
  await ask(service, ownerOf, 0, transactions);
  const full = await heap();
  kept.push(service);
  return { bytes: full - stored, storeBytes: stored - empty };
});

/** The strings are read from JSON, as those of the store are. */
function measureStrings(transactions: number): number {
  const all: string[] = Array.from({ length: transactions * 3 }, () => '');
  kept.push(all);
  collect();
  const before = used();
  for (let number = 0; number < transactions; number++) {
    const texts = JSON.parse(JSON.stringify(textsOf(number))) as TokenTexts;
    all.splice(number * 3, 3, texts.refreshToken, texts.accessToken, texts.clientToken);
  }
  collect();
  return used() - before;
}

async function remember(service: BerbixTokenService, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    const session = { customerUid: uidOf(number), tokens: tokensOf(number) };
    await firstValueFrom(service.remember(session));
  }
}

async function ask(
  service: BerbixTokenService,
  ownerOf: (number: number) => BerbixTransactionRef,
  from: number,
  to: number,
): Promise<void> {
  for (let number = from; number < to; number++) {
    const { transactionId } = await firstValueFrom(service.fresh(ownerOf(number)));
    if (transactionId !== transactionIdOf(number))
      throw new Error('These are the tokens of another transaction.');
  }
}

/** Canceled timers and settled promises are gone by the second time. */
async function heap(): Promise<number> {
  for (let time = 0; time < 2; time++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
  return used();
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
