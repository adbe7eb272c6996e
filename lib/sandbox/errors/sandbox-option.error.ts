/** An option of the sandbox cannot be used; the message names it and says what it should be. */
export class SandboxOptionError extends Error {
  override readonly name = 'SandboxOptionError';

  constructor(
    /** The option, as `BerbixSandbox.start()` calls it. */
    readonly option: string,
    /** What is wrong with it: a sentence whose subject is the option. */
    readonly problem: string,
  ) {
    super(`The sandbox option "${option}" ${problem}.`);
  }
}
