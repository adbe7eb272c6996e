import type { DeliverySummary, Transaction } from '../api.js';

/** A word whose color says whether it is good news. */
export function Badge({ text, tone }: { text: string; tone: Tone }) {
  return <span class={`badge badge-${tone}`}>{text}</span>;
}

/** The colors of badges. */
export type Tone = 'good' | 'warning' | 'bad' | 'plain';

/** The tone of an HTTP status. */
export function toneOfStatus(status: number | null): Tone {
  if (status === null) return 'warning';
  if (status < 400) return 'good';
  return status < 500 ? 'warning' : 'bad';
}

const TONES: Readonly<Record<string, Tone>> = { accept: 'good', review: 'warning', reject: 'bad' };

/** The state of a transaction, or its result. */
export function StateBadge({ state, action }: Pick<Transaction, 'state' | 'action'>) {
  return <Badge text={action ?? state} tone={(action !== null && TONES[action]) || 'plain'} />;
}

/** What became of a delivery so far. */
export function DeliveryBadge({ delivery }: { delivery: DeliverySummary }) {
  return <Badge {...outcomeOf(delivery)} />;
}

/** What no application may accept. */
const ATTACKS: ReadonlySet<unknown> = new Set(['late', 'forged', 'unsigned']);

/** Whether a webhook was sent with a fault that every application must notice. */
export function isAttack({ fault }: DeliverySummary): boolean {
  return ATTACKS.has(fault);
}

function outcomeOf(delivery: DeliverySummary): { text: string; tone: Tone } {
  const { delivered, status, problem, attempts } = delivery;
  if (isAttack(delivery) && delivered) return { text: `accepted with ${status}`, tone: 'bad' };
  if (isAttack(delivery) && status !== null && status < 500) {
    return { text: `correctly refused with ${status}`, tone: 'good' };
  }
  if (delivered) return { text: `delivered, ${status}`, tone: 'good' };
  if (status !== null) return { text: `refused with ${status}`, tone: 'bad' };
  if (problem !== null) return { text: `failed: ${problem}`, tone: 'bad' };
  return { text: attempts === 0 ? 'waiting' : 'no answer', tone: 'warning' };
}
