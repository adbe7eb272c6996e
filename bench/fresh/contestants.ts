import type { BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom, of } from 'rxjs';
import {
  CUSTOMERS,
  openOfflineService,
  tokensOf,
  transactionIdOf,
  uidOf,
} from '../support/stored-tokens.js';

/** One way to tokens that are in memory. */
export interface Contestant {
  title: string;
  /** Whether the goal is for it. */
  ours: boolean;
  /** So many calls, for one customer after the other; resolves to how many gave the right tokens. */
  run(calls: number): number | Promise<number>;
}

/** The one that the others are compared with. */
export const OF = 'of(tokens)';

/** All of them, over the same tokens. */
export async function openContestants(): Promise<Contestant[]> {
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

  /** A call that has the tokens at once. */
  function atOnce(
    title: string,
    expected: BerbixTokens[],
    call: (number: number) => void,
    ours = true,
  ): Contestant {
    const run = (calls: number): number => {
      let right = 0;
      for (let done = 0; done < calls; done++) {
        const number = done % CUSTOMERS;
        got = undefined;
        call(number);
        if (got === expected[number]) right++;
      }
      return right;
    };
    return { title, ours, run };
  }

  return [
    atOnce('Map lookup', byUid, (n) => take(map.get(uids[n] as string) as BerbixTokens), false),
    atOnce(OF, byUid, (n) => void of(byUid[n] as BerbixTokens).subscribe(take), false),
    atOnce('fresh({ customerUid })', byUid, (n) => {
      service.fresh({ customerUid: uids[n] as string }).subscribe(take);
    }),
    atOnce('fresh({ transactionId })', byId, (n) => {
      service.fresh({ transactionId: ids[n] as string }).subscribe(take);
    }),
    atOnce('fresh(tokens)', byUid, (n) => {
      service.fresh(byUid[n] as BerbixTokens).subscribe(take);
    }),
    awaited('await firstValueFrom(of(tokens))', byUid, (n) =>
      firstValueFrom(of(byUid[n] as BerbixTokens)),
    ),
    awaited('await firstValueFrom(fresh({ customerUid }))', byUid, (n) =>
      firstValueFrom(service.fresh({ customerUid: uids[n] as string })),
    ),
  ];
}

/** A call that is awaited. */
function awaited(
  title: string,
  expected: BerbixTokens[],
  call: (number: number) => Promise<BerbixTokens>,
): Contestant {
  const run = async (calls: number): Promise<number> => {
    let right = 0;
    for (let done = 0; done < calls; done++) {
      const number = done % CUSTOMERS;
      if ((await call(number)) === expected[number]) right++;
    }
    return right;
  };
  return { title, ours: false, run };
}
