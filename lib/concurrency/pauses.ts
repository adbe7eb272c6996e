const GROWTH = 1.5;

/** Pauses are shortened by a random share of at most this, so that replicas do not act in step. */
const JITTER = 0.3;

/** Pauses between tries, each longer than the one before. */
export class Pauses {
  #nextMs: number;

  /**
   * @param firstMs milliseconds of the first pause
   * @param limitMs milliseconds of the longest pause
   */
  constructor(
    firstMs: number,
    private readonly limitMs = firstMs,
  ) {
    this.#nextMs = firstMs;
  }

  /** Resolves when the next pause is over. */
  next(): Promise<void> {
    const ms = this.#nextMs * (1 - JITTER * Math.random());
    this.#nextMs = Math.min(this.#nextMs * GROWTH, this.limitMs);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
