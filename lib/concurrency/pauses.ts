const GROWTH = 1.5;

/** Milliseconds of the first pause and of the longest one while another replica has a lease. */
const [FIRST_LEASED_MS, LONGEST_LEASED_MS] = [20, 250];

/** Pauses are shortened by a random share of at most this, so that replicas do not act in step. */
const JITTER = 0.3;

/** Pauses between attempts, each longer than the one before. */
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

  /** Pauses between two reads of a record while another replica has its lease. */
  static whileLeased(): Pauses {
    return new Pauses(FIRST_LEASED_MS, LONGEST_LEASED_MS);
  }

  /** Resolves when the next pause is over. */
  next(): Promise<void> {
    const ms = this.#nextMs * (1 - JITTER * Math.random());
    this.#nextMs = Math.min(this.#nextMs * GROWTH, this.limitMs);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
