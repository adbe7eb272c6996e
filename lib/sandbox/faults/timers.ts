import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** Waits that keep no process alive and end when the sandbox closes. */
export class Timers {
  readonly #closing = new AbortController();

  constructor() {
    // One listener for each wait is no leak, however many requests wait.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Resolves after so many milliseconds; rejects when the sandbox closes. */
  wait(milliseconds: number): Promise<void> {
    return setTimeout(milliseconds, undefined, { ref: false, signal: this.#closing.signal });
  }

  /** Ends all waits, and those that would come. */
  clear(): void {
    this.#closing.abort();
  }
}
