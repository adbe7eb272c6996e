import type { ReencryptionCounts } from '../token-store/encryption/index.js';

/** What is needed of a standard stream. */
type Output = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean | undefined };

/** Back to the beginning of the line, and the line empty. */
const CLEAR_LINE = '\r\u001b[K';

/** Milliseconds between two lines: on a terminal the same one is written again, a log grows. */
const [TERMINAL_MS, LOG_MS] = [100, 5_000];

/** More than these say the same; their number is told at the end. */
const SHOWN_FAILURES = 20;

/** Tells how far it is: on a terminal in one line that is written again, elsewhere every few seconds. */
export class ReEncryptProgress {
  readonly #output: Output;
  #writtenAt = performance.now();
  #failures = 0;
  #line = false;

  constructor(output: Output) {
    this.#output = output;
  }

  update({ total, changed, failed }: ReencryptionCounts): void {
    const now = performance.now();
    if (now - this.#writtenAt < (this.#output.isTTY ? TERMINAL_MS : LOG_MS)) return;
    this.#writtenAt = now;
    const line = `${total} values so far, ${changed} re-encrypted, ${failed} failed`;
    this.#output.write(this.#output.isTTY ? `${CLEAR_LINE}${line}` : `${line}\n`);
    this.#line = this.#output.isTTY === true;
  }

  /** A key is quoted as JSON: it may have been written by anybody, and a terminal obeys what it reads. */
  failure(key: string, { message }: { readonly message: string }): void {
    this.#failures++;
    if (this.#failures > SHOWN_FAILURES) return;
    this.end();
    this.#output.write(`${JSON.stringify(key)}: ${message}\n`);
    if (this.#failures === SHOWN_FAILURES) this.#output.write('Further ones are only counted.\n');
  }

  /** Leaves the terminal with an empty line. */
  end(): void {
    if (this.#line) this.#output.write(CLEAR_LINE);
    this.#line = false;
  }
}
