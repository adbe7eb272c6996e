/**
 * The options of an account, as its providers inject them. Whoever prints the application meets
 * this object: it shows nothing, since what it holds has secrets and, in a dispatcher, requests
 * under way.
 */
export class ConcealedOptions<T> {
  readonly #options: T;

  constructor(options: T) {
    this.#options = options;
  }

  /** What was given. */
  reveal(): T {
    return this.#options;
  }
}
