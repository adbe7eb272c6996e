import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from '../support/peer.js';
import type { MemberPlan, Task, Turn } from './member.js';
import { openSdk, openService } from './subjects.js';

/** What a caller does with a token takes this long in the mean, in milliseconds. */
const PAUSE_MS = 10;

const plan = JSON.parse(process.argv[2] as string) as MemberPlan;
const { contestant, apiUrl, place } = plan;
const subject =
  contestant === 'sdk' ? await openSdk(apiUrl) : await openService(contestant, apiUrl, place);

answer(async ({ leadSeconds, seconds, callers, transactions }: Task): Promise<Turn> => {
  const turn: Turn = { microseconds: [], failed: 0, ended: 0 };
  const from = performance.now() + leadSeconds * 1_000;
  const until = from + seconds * 1_000;
  const caller = async (): Promise<void> => {
    await sleep(Math.random() * PAUSE_MS);
    while (performance.now() < until) {
      const transactionId = transactions[Math.floor(Math.random() * transactions.length)] as string;
      const start = performance.now();
      try {
        const accessToken = await subject(transactionId);
        const took = performance.now() - start;
        const leftMs = endOf(accessToken, transactionId) - Date.now();
        if (start < from) continue;
        turn.microseconds.push(Math.round(took * 1_000));
        if (leftMs <= 0) turn.ended++;
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

/** When the access token ends, by the API's clock, which is this machine's. */
function endOf(accessToken: string | undefined, transactionId: string): number {
  const [, end, ...whose] = accessToken?.split('_') ?? [];
  if (whose.join('_') !== `rt_${transactionId}`) throw new Error('Not a token of the transaction.');
  return Number(end);
}
