import { signBerbixWebhook } from 'nestjs-berbix/testing';
import { progress } from '../support/progress.js';
import { rotated } from '../support/statistics.js';
import { openContestants, type Contestant, type Delivery } from './contestants.js';

/** How much is measured. */
export interface Plan {
  rounds: number;
  /** Webhooks that each contestant checks in a round. */
  checks: number;
  /** Bytes of the body. */
  bytes: number;
}

/** Checks per second in one round, by the title of the contestant. */
export type Round = Record<string, number>;

const SECRET = `whs_test_${'0123456789abcdef'.repeat(2)}`;
/** So many different ones, so that none is checked twice in a row. */
const DELIVERIES = 64;

/** Contestants take turns; every check must find the webhook good, or measuring fails. */
export async function measure({ rounds, checks, bytes }: Plan): Promise<Round[]> {
  const contestants = await openContestants(SECRET);
  const deliveries = Array.from({ length: DELIVERIES }, (_, number) => delivery(number, bytes));
  progress(`Webhooks of ${bytes} bytes, ${rounds} rounds ...`);
  for (const contestant of contestants) await time(contestant, deliveries, checks);
  const done: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const round: Round = {};
    for (const contestant of rotated(contestants, number)) {
      round[contestant.title] = await time(contestant, deliveries, checks);
    }
    done.push(round);
  }
  return done;
}

async function time(
  { title, check }: Contestant,
  deliveries: readonly Delivery[],
  checks: number,
): Promise<number> {
  let good = 0;
  const start = performance.now();
  for (let number = 0; number < checks; number++) {
    const result = check(deliveries[number % deliveries.length] as Delivery);
    // Awaited only where there is something to wait for: the others are not slowed down.
    if (typeof result === 'boolean' ? result : (await result) !== false) good++;
  }
  const seconds = (performance.now() - start) / 1000;
  if (good !== checks) throw new Error(`${title} refused a webhook that is good.`);
  return checks / seconds;
}

/** As Berbix writes it, made as long as is asked for by its last field. */
function delivery(number: number, bytes: number): Delivery {
  const id = 1_234_123_412_341_234 + number;
  const start = `{"transaction_id":${id},"customer_uid":"ada","action":"accept","dashboard_link":"https://dashboard.berbix.com/transactions/${id}","id":${id},"note":"`;
  const body = Buffer.from(`${start}${'x'.repeat(Math.max(0, bytes - start.length - 3))}"}\n`);
  return { body, header: signBerbixWebhook({ secret: SECRET, body }) };
}
