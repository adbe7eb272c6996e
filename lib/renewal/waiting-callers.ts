import type { Wait } from '../concurrency/index.js';
import { BerbixTimeoutError } from '../errors/index.js';
import type { TokenSource } from '../telemetry/index.js';

/**
 * The callers who wait for a run, and until when. When none is left, the run leaves the queue of
 * exchanges, so that later ones do not wait behind it. An exchange that has started continues (I9).
 */
export class WaitingCallers implements Wait {
  /** The latest deadline of the callers, by `performance.now()`. */
  deadline = -Infinity;
  #count = 0;
  #leaveQueue: ((error: unknown) => boolean) | undefined;

  /** @param onGivenUp called when the run leaves the queue */
  constructor(private readonly onGivenUp: () => void) {}

  /** Adds a caller; call the result when they leave. Repeated calls have no effect. */
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

/** One caller, who may wait for several runs in turn. */
export class WaitingCaller<Run extends { readonly callers: WaitingCallers }> {
  hasLeft = false;
  /** The run that the caller waits for, or waited for last. */
  run: Run | undefined;
  /** Where the tokens of the caller came from, for telemetry. */
  source: TokenSource = 'store';
  #leave: (() => void) | undefined;

  /** @param deadline of the caller, by `performance.now()` */
  constructor(readonly deadline: number) {}

  join(run: Run): void {
    this.run = run;
    this.#leave = run.callers.add(this.deadline);
  }

  leave(): void {
    this.hasLeft = true;
    this.#leave?.();
  }
}

/** Rejects a run without callers; nobody sees it. */
export function abandonedError(): BerbixTimeoutError {
  return new BerbixTimeoutError('All callers who waited for these tokens have left.', {
    retryable: true,
  });
}
