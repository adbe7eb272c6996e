import type { Wait } from '../../concurrency/index.js';
import { BerbixTimeoutError } from '../../errors/index.js';

/**
 * Who waits for a search for tokens, and until when. When nobody is left, it gives up its place in
 * the queue of exchanges, so that those who come later do not wait behind it. An exchange that has
 * begun goes on.
 */
export class WaitingCallers implements Wait {
  /** The latest time until which one of them waits, by `performance.now()`. */
  deadline = -Infinity;
  #count = 0;
  #leaveQueue: ((error: unknown) => boolean) | undefined;

  /** @param onGivenUp called when the place is given up */
  constructor(private readonly onGivenUp: () => void) {}

  /** Adds a caller; call the result when they leave, more than once if convenient. */
  add(deadline: number): () => void {
    this.#count++;
    this.deadline = Math.max(this.deadline, deadline);
    let isWaiting = true;
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      this.#count--;
      this.#giveUpIfEmpty();
    };
  }

  onWait(leave: (error: unknown) => boolean): void {
    this.#leaveQueue = leave;
    this.#giveUpIfEmpty();
  }

  #giveUpIfEmpty(): void {
    if (this.#count === 0 && this.#leaveQueue?.(abandonedError())) this.onGivenUp();
  }
}

/** One caller, who waits in one search after another. */
export class Seat {
  hasLeft = false;
  #leave: (() => void) | undefined;

  /** @param deadline until when the caller waits, by `performance.now()` */
  constructor(private readonly deadline: number) {}

  take(callers: WaitingCallers): void {
    this.#leave = callers.add(this.deadline);
  }

  leave(): void {
    this.hasLeft = true;
    this.#leave?.();
  }
}

/** No caller is left to see it. */
export function abandonedError(): BerbixTimeoutError {
  return new BerbixTimeoutError('All callers who waited for these tokens have left.', {
    retryable: true,
  });
}
