import type { BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom, of } from 'rxjs';
import { measureCalls, type Call } from './harness/calls.js';
import {
  CUSTOMERS,
  openOfflineService,
  tokensOf,
  transactionIdOf,
  uidOf,
} from './harness/stored-tokens.js';

/** Each call is for the next customer, and must give exactly their tokens. */
measureCalls(async () => {
  const service = await openOfflineService();
  const uids = Array.from({ length: CUSTOMERS }, (_, number) => uidOf(number));
  const ids = uids.map((_, number) => transactionIdOf(number));
  for (const [number, customerUid] of uids.entries()) {
    await firstValueFrom(service.remember({ customerUid, tokens: tokensOf(number) }));
  }
  const byUid = await Promise.all(
    uids.map((customerUid) => firstValueFrom(service.fresh({ customerUid }))),
  );
  const byId = await Promise.all(
    ids.map((transactionId) => firstValueFrom(service.fresh({ transactionId }))),
  );
  const map = new Map(uids.map((uid, number) => [uid, byUid[number] as BerbixTokens]));
  let got: BerbixTokens | undefined;
  const take = (tokens: BerbixTokens): void => {
    got = tokens;
  };

  /** A call that has the tokens before it returns. */
  function immediate(expected: BerbixTokens[], call: (number: number) => void): Call {
    let next = 0;
    return () => {
      const number = next++ % CUSTOMERS;
      got = undefined;
      call(number);
      if (got !== expected[number]) throw new Error('These are not the tokens in memory.');
    };
  }

  return {
    'Map lookup': immediate(byUid, (n) => take(map.get(uids[n] as string) as BerbixTokens)),
    'of(tokens)': immediate(byUid, (n) => void of(byUid[n] as BerbixTokens).subscribe(take)),
    'fresh({ customerUid })': immediate(byUid, (n) => {
      service.fresh({ customerUid: uids[n] as string }).subscribe(take);
    }),
    'fresh({ transactionId })': immediate(byId, (n) => {
      service.fresh({ transactionId: ids[n] as string }).subscribe(take);
    }),
    'fresh(tokens)': immediate(byUid, (n) => {
      service.fresh(byUid[n] as BerbixTokens).subscribe(take);
    }),
    'await firstValueFrom(of(tokens))': awaited(byUid, (n) =>
      firstValueFrom(of(byUid[n] as BerbixTokens)),
    ),
    'await firstValueFrom(fresh({ customerUid }))': awaited(byUid, (n) =>
      firstValueFrom(service.fresh({ customerUid: uids[n] as string })),
    ),
  };
});

function awaited(expected: BerbixTokens[], call: (number: number) => Promise<BerbixTokens>): Call {
  let next = 0;
  return async () => {
    const number = next++ % CUSTOMERS;
    if ((await call(number)) !== expected[number]) {
      throw new Error('These are not the tokens in memory.');
    }
  };
}
