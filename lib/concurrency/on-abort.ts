/** For each signal, what to call when it is aborted. */
const WAITING = new WeakMap<AbortSignal, AbortListeners>();

/** All that wait for one signal: Node.js 20 warns of a leak if a signal has more than ten listeners. */
class AbortListeners {
  readonly #listeners = new Set<() => void>();

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.#callAll);
  }

  add(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The signal keeps nothing after the last one: it may outlive many calls. */
  remove(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.signal.removeEventListener('abort', this.#callAll);
    WAITING.delete(this.signal);
  }

  readonly #callAll = (): void => {
    for (const listener of this.#listeners) listener();
  };
}

/**
 * Calls the listener when the signal is aborted. However many calls share the signal, it has one
 * listener.
 *
 * @returns a function that ends it; call it once
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let waiting = WAITING.get(signal);
  if (waiting === undefined) WAITING.set(signal, (waiting = new AbortListeners(signal)));
  waiting.add(listener);
  return () => waiting.remove(listener);
}
