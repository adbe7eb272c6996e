import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { ApiException } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { TransactionStore } from './transaction.store.js';

/** The last four hours count. [doc: reference/createtransaction] */
const WINDOW_MS = 4 * 3_600_000;

/** Refuses more test transactions when many were completed lately. [doc: reference/createtransaction] */
@Injectable()
export class CompletionLimit {
  constructor(
    @Inject(TransactionStore) private readonly store: TransactionStore,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** @throws {ApiException} 429 that says when it is worth while to try again */
  async check(mode: SandboxMode): Promise<void> {
    const { testCompletionLimit: limit } = this.settings;
    if (mode !== 'test' || limit === Infinity) return;
    const now = this.clock.now();
    const times = await this.store.completionTimes(mode, now - WINDOW_MS);
    // The latest so many fill the window; there is room when the earliest of them leaves it.
    const earliest = times.toSorted((one, other) => other - one)[limit - 1];
    if (earliest !== undefined) throw tooMany(Math.ceil((earliest + WINDOW_MS - now) / 1000));
  }
}

/** ASSUMPTION: the status, and that it says when. */
function tooMany(seconds: number): ApiException {
  return new ApiException(
    429,
    READABLE.rateLimited,
    `Too many test transactions were completed within four hours. Try again in ${seconds} seconds.`,
    { 'Retry-After': seconds.toString() },
  );
}
