import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BerbixTokenService, TransactionRef } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { answer } from '../support/peer.js';
import {
  openOfflineService,
  textsOf,
  tokensOf,
  transactionIdOf,
  uidOf,
  type TokenTexts,
} from '../support/stored-tokens.js';

/** What is to be filled, and with how many transactions. */
export interface HeapTask {
  subject: 'strings' | 'transactionId' | 'customerUid';
  transactions: number;
}

/** Bytes that stay after a garbage collection. */
export interface HeapUse {
  /** Of the strings alone, or of the memory of `fresh()`. */
  bytes: number;
  /** Of what the in-memory store has beside that. */
  storeBytes: number;
}

/** Of others, beforehand: what the first of everything needs is not counted. */
const WARM_UP = 2_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is kept until the end. */
const kept: unknown[] = [];

answer(async ({ subject, transactions }: HeapTask): Promise<HeapUse> => {
  if (subject === 'strings') return { bytes: measureStrings(transactions), storeBytes: 0 };
  const service = await openOfflineService({ freshness: { cacheSize: transactions + WARM_UP } });
  const ownerOf = (number: number): TransactionRef =>
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

/** Each read from JSON, as those of the store are. */
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
  ownerOf: (number: number) => TransactionRef,
  from: number,
  to: number,
): Promise<void> {
  for (let number = from; number < to; number++) {
    const { transactionId } = await firstValueFrom(service.fresh(ownerOf(number)));
    if (transactionId !== transactionIdOf(number)) throw new Error('Those are other tokens.');
  }
}

/** Timers that were cancelled and promises that were settled are gone by the second time. */
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
