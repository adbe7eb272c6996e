/** The part of a standard stream that is used. */
type Output = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean | undefined };

/** Clears the line and returns to its beginning. */
const CLEAR_LINE = '\r\u001b[K';

/** Milliseconds between two lines: a terminal rewrites the same one, and a log grows. */
const [TERMINAL_MS, LOG_MS] = [100, 5_000];

/** Maximum number of failures that are printed; the others are only counted. */
const SHOWN_FAILURES = 20;

/**
 * Prints the progress: on a terminal in one line that is rewritten, otherwise every few seconds.
 */
export class Progress {
  readonly #output: Output;
  #writtenAt = performance.now();
  #failures = 0;
  #line = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** @param describe called when a line is due */
  update(describe: () => string): void {
    const now = performance.now();
    if (now - this.#writtenAt < (this.#output.isTTY ? TERMINAL_MS : LOG_MS)) return;
    this.#writtenAt = now;
    const line = describe();
    this.#output.write(this.#output.isTTY ? `${CLEAR_LINE}${line}` : `${line}\n`);
    this.#line = this.#output.isTTY === true;
  }

  /** Quotes the key as JSON: anybody may have written it, and a terminal runs control sequences. */
  failure(key: string, { message }: { readonly message: string }): void {
    this.#failures++;
    if (this.#failures > SHOWN_FAILURES) return;
    this.end();
    this.#output.write(`${JSON.stringify(key)}: ${message}\n`);
    if (this.#failures === SHOWN_FAILURES)
      this.#output.write('Further failures are only counted.\n');
  }

  /** Clears the line on a terminal. */
  end(): void {
    if (this.#line) this.#output.write(CLEAR_LINE);
    this.#line = false;
  }
}
