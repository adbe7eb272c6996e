/**
 * The injection token of the {@link ConcealedOptions} of one account; `Symbol.for`, so that two
 * copies of this package agree.
 */
export const BERBIX_OPTIONS = Symbol.for('berbix:options');

/**
 * The options of an account, as its providers inject them. If the application is printed, this
 * object shows nothing: the options contain secrets, and a dispatcher contains requests in flight
 * (I10).
 */
export class ConcealedOptions<T> {
  readonly #options: T;

  constructor(options: T) {
    this.#options = options;
  }

  /** The options. */
  reveal(): T {
    return this.#options;
  }
}
