import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/**
 * How far the clock can be from the real time: with room for what is added to its time, such as the
 * lifetime of a token, below 8.64e15, the end of a `Date`.
 */
export const MAX_CLOCK_OFFSET = 7.9e15;

/**
 * The clock of the sandbox: the real time plus an offset, so that tests need not wait.
 *
 * @example
 * sandbox.clock.advance(3_600_000); // all tokens so far have expired
 */
export class SandboxClock {
  #offset = 0;
  readonly #listeners: (() => void)[] = [];

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offset;
  }

  /** How far it is ahead of the real time, in milliseconds. @internal */
  get offset(): number {
    return this.#offset;
  }

  /** @internal */
  set offset(milliseconds: number) {
    this.#setOffset(milliseconds);
  }

  /** Moves the clock by this many milliseconds; a negative number moves it back. */
  advance(milliseconds: number): void {
    this.#setOffset(this.#offset + milliseconds);
  }

  /** Sets the clock to a date or to milliseconds since 1970, from where it continues. */
  set(time: Date | number): void {
    this.#setOffset(Number(time) - Date.now());
  }

  /** Returns to the real time. */
  reset(): void {
    this.#setOffset(0);
  }

  /** Calls the listener after each change. @internal */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #setOffset(offset: number): void {
    if (!(Math.abs(offset) <= MAX_CLOCK_OFFSET)) {
      throw new RangeError(
        `The clock of the sandbox takes a time at most ${MAX_CLOCK_OFFSET} milliseconds from the real time.`,
      );
    }
    this.#offset = offset;
    for (const listener of this.#listeners) listener();
  }
}

/** Waits in real time that do not keep the process alive and end when the sandbox closes. */
export class Timers {
  readonly #closing = new AbortController();

  constructor() {
    // One listener for each wait is not a leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Resolves after this many milliseconds; rejects when the sandbox closes. */
  wait(milliseconds: number): Promise<void> {
    return setTimeout(milliseconds, undefined, { ref: false, signal: this.#closing.signal });
  }

  /** Ends all waits, including later ones. */
  clear(): void {
    this.#closing.abort();
  }
}
