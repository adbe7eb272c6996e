import { useEffect, useReducer, useRef } from 'preact/hooks';
import type { DeliverySummary, RequestSummary, Transaction } from './api.js';

/** What the console knows of the sandbox. Each change makes a new object. */
export interface State {
  /** Whether the events arrive. */
  connection: 'connecting' | 'open' | 'lost';
  /** Milliseconds by which the clock of the sandbox is ahead of that of the browser. */
  clockOffset: number;
  /** The time of the sandbox in milliseconds, each second. */
  now: number;
  /** Newest first; undefined until they are loaded, as the other lists. */
  transactions: readonly Transaction[] | undefined;
  /** By customer and state; the sandbox filters. */
  filter: { customer: string; state: string; limit: number };
  /** Newest first. */
  requests: readonly RequestSummary[] | undefined;
  /** Newest first. */
  deliveries: readonly DeliverySummary[] | undefined;
  /** The transactions that something happened to, latest first, so that open details load again. */
  changedTransactions: readonly { transactionId: string }[];
  /** Counts what makes open details load again: an import, a reset, a move of the clock, missed events. */
  reloads: number;
  /** How often the pending faults have changed. */
  faultChanges: number;
  pendingFaults: number;
  /** What the last action did, or why it failed. */
  notice: { text: string; failed: boolean } | undefined;
}

/** More are in the sandbox, and in the answers of its control API. */
export const MAX_SHOWN = 200;

const NOTIFY_AFTER_MS = 100;

let state: State = {
  connection: 'connecting',
  clockOffset: 0,
  now: Date.now(),
  transactions: undefined,
  filter: { customer: '', state: '', limit: 100 },
  requests: undefined,
  deliveries: undefined,
  changedTransactions: [],
  reloads: 0,
  faultChanges: 0,
  pendingFaults: 0,
  notice: undefined,
};

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Changes parts of the state. Views follow together, at most ten times a second. */
export function update(change: (state: State) => Partial<State>): void {
  state = { ...state, ...change(state) };
  timer ??= setTimeout(() => {
    timer = undefined;
    for (const listener of listeners) listener();
  }, NOTIFY_AFTER_MS);
}

/** The state at this moment, outside of views. */
export function currentState(): State {
  return state;
}

/** Part of the state, in a view that follows it. */
export function useStore<Part>(select: (state: State) => Part): Part {
  const [, render] = useReducer((count: number) => count + 1, 0);
  const part = select(state);
  const shown = useRef(part);
  shown.current = part;
  useEffect(() => {
    const listener = (): void => {
      if (select(state) !== shown.current) render(undefined);
    };
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return part;
}

/** Puts an item into a list, newest first, in the place of the one with the same id. */
export function withItem<Item extends { id: string }>(
  list: readonly Item[],
  item: Item,
  max = MAX_SHOWN,
): readonly Item[] {
  const index = list.findIndex(({ id }) => id === item.id);
  if (index === -1) return [item, ...list].slice(0, max);
  return list.with(index, { ...list[index], ...item });
}

/** Tells the outcome of an action, to screen readers too. */
export function notify(text: string, failed = false): void {
  update(() => ({ notice: { text, failed } }));
}
