import type { Fault } from '../api.js';
import { formatTime } from '../parts/time.js';

/** What a kind of fault does, and its own member. */
export interface FaultKind {
  kind: string;
  title: string;
  /** A number that the kind needs, with its limits. */
  needs?: { name: string; label: string; value: number; unit: string; min: number; max: number };
  /** Whether the request may be processed before its answer is lost. */
  losesAnswer?: true;
}

/** The longest timer of Node. */
const MAX_MS = 2 ** 31 - 1;

/** In the order of the form. */
export const FAULT_KINDS: readonly FaultKind[] = [
  {
    kind: 'status',
    title: 'Answer with an error',
    needs: { name: 'status', label: 'Status', value: 503, unit: '', min: 400, max: 599 },
    losesAnswer: true,
  },
  {
    kind: 'latency',
    title: 'Answer later',
    needs: { name: 'ms', label: 'Milliseconds', value: 2_000, unit: ' ms', min: 0, max: MAX_MS },
  },
  { kind: 'reset', title: 'Reset the connection', losesAnswer: true },
  { kind: 'hang', title: 'Never answer', losesAnswer: true },
  { kind: 'truncate', title: 'Send half of the answer', losesAnswer: true },
  {
    kind: 'trickle',
    title: 'Send the answer byte by byte',
    needs: {
      name: 'ms',
      label: 'Milliseconds for each byte',
      value: 200,
      unit: ' ms',
      min: 0,
      max: MAX_MS,
    },
  },
  { kind: 'html', title: 'Answer with an HTML page, as a proxy would', losesAnswer: true },
  {
    kind: 'flood',
    title: 'Send a very large answer',
    needs: {
      name: 'bytes',
      label: 'Bytes',
      value: 100_000_000,
      unit: ' bytes',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    },
  },
];

const TOKENS = { method: 'POST', path: '/v0/tokens' };
const HOUR_MS = 3_600_000;

/** Several faults at once, for an hour of the sandbox's clock. */
export const PRESETS: readonly { title: string; text: string; faults: readonly object[] }[] = [
  {
    title: 'A flaky hour',
    text: 'One request in five fails with 503, one in ten loses its connection.',
    faults: [
      { kind: 'status', status: 503, probability: 0.2, seed: 1, for_ms: HOUR_MS },
      { kind: 'reset', probability: 0.1, seed: 2, for_ms: HOUR_MS },
    ],
  },
  {
    title: 'An outage',
    text: 'Every request gets 503 for an hour, with the advice to come back in 30 seconds.',
    faults: [{ kind: 'status', status: 503, retry_after: 30, for_ms: HOUR_MS }],
  },
  {
    title: 'A slow afternoon',
    text: 'Every answer takes two seconds longer, for four hours.',
    faults: [{ kind: 'latency', ms: 2_000, for_ms: 4 * HOUR_MS }],
  },
  {
    title: 'A lost exchange',
    text: 'The next exchange is processed, but its answer is lost: the worst moment for a token that is replaced.',
    faults: [{ ...TOKENS, kind: 'reset', processed: true }],
  },
];

/** A pending fault as a sentence. */
export function describeFault(fault: Fault): string {
  const { kind, method, path, times, probability, seed, ends_at: endsAt } = fault;
  const known = FAULT_KINDS.find((candidate) => candidate.kind === kind);
  const value = known?.needs && fault[known.needs.name];
  const parts = [
    `${known?.title ?? kind}${value === undefined ? '' : ` (${String(value)}${known?.needs?.unit})`}`,
    method || path ? `for ${[method, path].filter(Boolean).join(' ')}` : 'for any request',
    ...(probability === null ? [] : [`with a probability of ${probability} (seed ${seed})`]),
    ...(times === 'Infinity' ? [] : [times === 1 ? 'once' : `${times} times`]),
    ...(endsAt ? [`until ${formatTime(Date.parse(endsAt))}`] : []),
    ...(fault.processed === true ? ['after the request is processed'] : []),
  ];
  return `${parts.join(', ')}.`;
}
