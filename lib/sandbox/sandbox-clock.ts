/**
 * The time as the sandbox sees it. It runs on with the real clock, shifted by what a test asks for,
 * so that an hour passes without waiting for it.
 *
 * @example
 * sandbox.clock.advance(3_600_000); // every token handed out until now has expired
 */
export class SandboxClock {
  #shift = 0;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#shift;
  }

  /** Moves the clock by so many milliseconds; a negative number moves it back. */
  advance(milliseconds: number): void {
    this.#shiftTo(this.#shift + milliseconds);
  }

  /** Sets the clock to a date, or to milliseconds since 1970; it goes on from there. */
  set(time: Date | number): void {
    this.#shiftTo(Number(time) - Date.now());
  }

  /** Back to the real time. */
  reset(): void {
    this.#shift = 0;
  }

  #shiftTo(shift: number): void {
    if (!isRepresentable(Date.now() + shift)) {
      throw new RangeError(
        'The clock of the sandbox takes milliseconds that a Date can represent.',
      );
    }
    this.#shift = shift;
  }
}

/** With room for the lifetime of a token: what is added to the time must be a date too. */
function isRepresentable(time: number): boolean {
  return Math.abs(time) < 8e15;
}
