import { firstValueFrom } from 'rxjs';
import { measureTurn } from './harness/measure.js';
import { answer } from './harness/peer.js';
import { openOfflineService, transactionIdOf, uidOf } from './harness/stored-tokens.js';
import type { Store } from './harness/stores.js';
import { COLD, encryptionOf, keysOf } from './scale.records.js';
import { openClient } from './scale.server.js';

/** Reads of the tokens of one customer after the other. */
export interface ScaleTask {
  way: 'fresh' | 'bare';
  customers: number;
  ms: number;
}

/** As many concurrent callers as a small application has. */
const CALLERS = 16;

/** It shares no factor with the number of customers: in such steps, each comes once. */
const STEP = 7_919;

const [storeName, place, sealed] = process.argv.slice(2) as [Store, string, string];
const client = openClient(storeName, place);
const service = await openOfflineService({
  store: client.store,
  ...encryptionOf(sealed === 'sealed'),
  ...COLD,
});

async function fresh(customer: number): Promise<void> {
  const tokens = await firstValueFrom(service.fresh({ customerUid: uidOf(customer) }));
  if (tokens.transactionId !== transactionIdOf(customer)) {
    throw new Error('These are the tokens of another customer.');
  }
}

/** Reads the same records one after the other, since the first one names the second. */
async function bare(customer: number): Promise<void> {
  for (const key of keysOf(customer)) {
    if ((await client.read(key)) === undefined) throw new Error(`There is no record ${key}.`);
  }
}

const WAYS = { fresh, bare };
let next = 0;

answer(({ way, customers, ms }: ScaleTask) =>
  measureTurn(async () => {
    const first = next;
    const end = performance.now() + ms;
    const caller = async (): Promise<void> => {
      while (performance.now() < end) await WAYS[way]((next++ * STEP) % customers);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return next - first;
  }),
);
