import { channel } from 'node:diagnostics_channel';
import { setImmediate } from 'node:timers';
import { outside } from '../concurrency/index.js';
import {
  EVENT_KINDS,
  type BerbixEvent,
  type BerbixEventDetails,
  type BerbixEventKind,
} from './berbix-event.js';

/** Called with every event, in order. It must not throw. */
export type EventListener = (event: BerbixEvent) => void;

/** One `node:diagnostics_channel` for each kind, such as `nestjs-berbix:token.exchanged`. */
const CHANNELS = new Map(EVENT_KINDS.map((kind) => [kind, channel(`nestjs-berbix:${kind}`)]));

/**
 * Collects the events of an account, and delivers them after the current work, in the order in which
 * they happened. So a listener never delays what it hears of, and never runs in the async context of
 * a request. An event to which nobody listens is not created.
 */
export class EventBus {
  readonly #listeners = new Set<EventListener>();
  /** What has happened, and who listened then. */
  #waiting: { event: BerbixEvent; listeners: readonly EventListener[] }[] = [];

  constructor(readonly account: string) {}

  /**
   * Emits an event: something has just happened.
   *
   * @param describe returns the details; called immediately, and only if somebody listens
   */
  emit<K extends BerbixEventKind>(kind: K, describe: () => BerbixEventDetails[K]): void {
    if (this.#listeners.size === 0 && CHANNELS.get(kind)?.hasSubscribers !== true) return;
    const event = { kind, at: new Date(), account: this.account, ...describe() };
    Object.freeze(event);
    this.#waiting.push({ event: event as BerbixEvent, listeners: [...this.#listeners] });
    if (this.#waiting.length === 1) outside(() => setImmediate(() => this.#deliver()));
  }

  /**
   * Calls the listener with every event from now on.
   *
   * @returns a function that ends it
   */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { event, listeners } of waiting) {
      CHANNELS.get(event.kind)?.publish(event);
      for (const listener of listeners) if (this.#listeners.has(listener)) listener(event);
    }
  }
}
