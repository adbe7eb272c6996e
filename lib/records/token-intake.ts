import { Logger } from '@nestjs/common';
import { Pauses, shutDownError } from '../concurrency/index.js';
import { SHORT_LEASE_MS, type SealedRecords } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import type { CustomerIndex, RecordLimits } from './customer-index.js';
import { storeTime } from './local-tokens.js';
import { otherReplicaTimeoutError } from './record-errors.js';
import { namesOf, recordName } from './record-names.js';
import { recordRemembered } from './settle.js';
import { hasTokens, resolveRecord, type NamedRecord } from './token-lookup.js';
import type { Times, TokenRecord } from './token-record.js';

/** Takes in tokens that the application hands over. */
export class TokenIntake {
  readonly #logger = new Logger('BerbixTokenService');

  /** @param closing once it is aborted, nothing waits for another replica */
  constructor(
    private readonly sealed: SealedRecords,
    private readonly index: CustomerIndex,
    private readonly limits: RecordLimits,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * Saves tokens; a new transaction becomes the current one of its customer. A superseded refresh
   * token does not replace its successor (I3). Resolves to the names under which the tokens are
   * found.
   *
   * @throws {BerbixTimeoutError} (as a rejection) if an exchange of the same token did not end in
   * time
   */
  async remember(tokens: BerbixTokens, customerUid: string | undefined): Promise<string[]> {
    const waitUntil = performance.now() + this.limits.totalTimeoutMs;
    let { key: first, wasCurrent } =
      customerUid === undefined
        ? { key: recordName.transaction(tokens.transactionId as string), wasCurrent: true }
        : await this.index.makeCurrent(tokens, customerUid);
    // The version of the record when it was seen without tokens, before the reference was committed.
    let empty = wasCurrent ? undefined : 0;
    const pauses = Pauses.whileLeased();
    for (;;) {
      const { seen } = await resolveRecord(this.sealed, first, this.limits.leaseMs);
      const { key } = seen;
      const value = hasTokens(seen) ? seen.value : undefined;
      if (value === undefined && seen.version !== empty && customerUid !== undefined) {
        // I8: forgotten. A removal of the customer may still be in flight; a new version makes it
        // fail.
        ({ key: first, wasCurrent } = await this.index.makeCurrent(tokens, customerUid, true));
        empty = seen.version;
        continue;
      }
      const times = await this.#times(key, seen, tokens);
      const next = recordRemembered(value, tokens, times, customerUid);
      const isKept = next.refreshToken === value?.refreshToken;
      // If the reference is new, commit in any case: a removal of orphans must see a new version.
      if (isKept && wasCurrent && !hasMore(value, next)) return namesOf(key, next);
      const isKnown = isKept || value?.spares?.includes(tokens.refreshToken) === true;
      const outcome = await this.#save(seen, next, customerUid && first, isKnown);
      if (outcome === 'saved') {
        this.#warnOfSpare(value, next);
        return namesOf(key, next);
      }
      if (outcome === 'forgotten' && customerUid !== undefined) {
        // As if the customer had been forgotten before this call: erase() could not delete these.
        ({ key: first, wasCurrent } = await this.index.makeCurrent(tokens, customerUid));
      }
      if (outcome !== 'leased') continue;
      if (this.closing.aborted) throw shutDownError();
      if (performance.now() >= waitUntil) throw otherReplicaTimeoutError();
      await pauses.next();
    }
  }

  /**
   * Saves the record, unless it has `changed` since it was seen. With a refresh token that it already
   * has, it is saved under its lease, unless another replica has that (`leased`): an exchange of the
   * token may be in flight or about to start, and the commit would end its lease (I2).
   */
  async #save(
    seen: NamedRecord,
    next: TokenRecord,
    reference: string | undefined,
    isKnown: boolean,
  ): Promise<'saved' | 'changed' | 'forgotten' | 'leased'> {
    const { key, version, attempt } = seen;
    const lease = isKnown
      ? await this.sealed.lease(key, seen, this.limits.totalTimeoutMs, attempt)
      : undefined;
    if (isKnown && lease === undefined) return 'leased';
    try {
      return await this.index.save(key, version, next, reference);
    } catch (error) {
      // Exchanges must not wait for the end of this lease.
      if (lease !== undefined) {
        const held = { version, leaseEpoch: lease.leaseEpoch };
        await this.sealed.release(key, held, attempt).catch(() => false);
      }
      throw error;
    }
  }

  /** If the API replaces refresh tokens, only one of the two still works. */
  #warnOfSpare(before: TokenRecord | undefined, next: TokenRecord): void {
    if (!before?.rotates || before.spares === next.spares) return;
    const which = before.refreshToken === next.refreshToken ? 'the stored one' : 'the new one';
    this.#logger.warn(
      `remember() was given an unknown refresh token, which may be newer or older than the stored one. Both are kept: ${which} is used, and the other one if the API does not know that.`,
    );
  }

  /**
   * When the tokens expire, on the store's clock; without a record, a short lease reads that clock.
   */
  async #times(key: string, seen: NamedRecord, tokens: BerbixTokens): Promise<Times | undefined> {
    if (tokens.needsRefresh()) return undefined;
    const leftMs = tokens.leftMs();
    const clock =
      seen.moment.store > 0
        ? seen
        : await this.sealed.lease(key, seen, SHORT_LEASE_MS, seen.attempt);
    if (clock === undefined) return undefined;
    const { lifetimeMs = leftMs } = tokens;
    // I1: the host's clock may have been set back since the tokens were issued.
    return { expiresAt: storeTime(clock) + Math.min(leftMs, lifetimeMs), lifetimeMs };
  }
}

/** Whether the next record has anything that the previous one lacks. */
function hasMore(before: TokenRecord, next: TokenRecord): boolean {
  return (
    before.transactionId !== next.transactionId ||
    before.customerUid !== next.customerUid ||
    before.spares !== next.spares ||
    (before.expiresAt ?? 0) < (next.expiresAt ?? 0)
  );
}
