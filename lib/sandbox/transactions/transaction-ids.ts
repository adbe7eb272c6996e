import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';

/** Ids in the sample of the reference are near 10^15. [doc: reference/gettransactionmetadata] */
const SMALL_IDS = 10n ** 15n;
/** Between 2^53 and 2^54 a double holds even numbers only, so every odd id is one it gets wrong. */
const LARGE_IDS = 2n ** 53n + 1n;

/**
 * Counts transaction ids up from a random start: the database of the application under test may
 * outlive the sandbox, and shall not meet an id twice.
 */
@Injectable()
export class TransactionIds {
  readonly #step: bigint;
  #next: bigint;

  constructor(@Inject(SANDBOX_SETTINGS) { largeIds }: SandboxSettings) {
    this.#step = largeIds ? 2n : 1n;
    this.#next = (largeIds ? LARGE_IDS : SMALL_IDS) + BigInt(randomInt(2 ** 46)) * this.#step;
  }

  next(): string {
    const id = this.#next.toString();
    this.#next += this.#step;
    return id;
  }
}
