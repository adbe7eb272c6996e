import { Logger } from '@nestjs/common';
import { BerbixGoneError, BerbixNotFoundError } from '../../errors/index.js';
import { isOverlong, type SealedRecords, type OpenedRecord } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import { believed } from './clock-steps.js';
import type { FreshnessSettings, TransactionRef } from './freshness.options.js';
import { inTime } from './in-time.js';
import { shutDown, renewalTimeoutError } from './renewal-errors.js';
import type { TokenLoader } from './token-loader.js';
import {
  hasTokens,
  isForgotten,
  isReference,
  keyFor,
  namesOf,
  referencesOf,
  resolveRecord,
  type Found,
  type Resolved,
} from './token-lookup.js';
import { recordRemembered } from './settle.js';
import {
  isOfRecord,
  recordName,
  recordOf,
  storeTime,
  type Reference,
  type Times,
  type TokenRecord,
} from './token-record.js';
import { removeOrphan } from './token-removal.js';

/** A record with tokens, under its own name or another one. */
export interface SeenTokens extends OpenedRecord<TokenRecord> {
  readonly key: string;
  readonly value: TokenRecord;
}

/**
 * A lookup: a name, the transaction or customer it stands for, and tokens that the caller passed.
 */
export interface TokenQuery {
  readonly name: string;
  readonly owner?: TransactionRef | undefined;
  readonly given?: BerbixTokens | undefined;
  /**
   * When the call began, by `performance.now()`, if it was a while ago: its time limit runs from
   * then.
   */
  readonly askedAt?: number | undefined;
}

/** Milliseconds of a lease for one step, or only for reading the store's clock. */
const SHORT_LEASE_MS = 1_000;

/** Milliseconds between two reads of a record while another replica exchanges its token. */
const BETWEEN_LOOKS_MS = 100;

/**
 * Finds and adds the records of transactions and customers. The record of a customer refers to that
 * of the current transaction. Every change names the version that it expects, so two replicas that
 * add the same transaction end with one record (I5).
 */
export class TokenRecords {
  readonly #logger = new Logger('BerbixTokenService');
  #isClosing = false;

  constructor(
    private readonly sealed: SealedRecords,
    private readonly loader: TokenLoader,
    private readonly limits: Pick<FreshnessSettings, 'leaseMs' | 'totalTimeoutMs'>,
  ) {}

  /** From now on nothing waits for another replica. */
  close(): void {
    this.#isClosing = true;
  }

  /**
   * The record with the tokens. If the store has none, it is added from the tokens that the caller
   * passed, or from the application's own database.
   *
   * @throws (as a rejection) {BerbixNotFoundError} if there are none anywhere, {BerbixGoneError} if
   * they were forgotten, {BerbixStoreError} if the store or `loadTokens` failed
   */
  async find(query: TokenQuery): Promise<SeenTokens> {
    for (let tokens = query.given; ;) {
      const { record, key, seen } = await this.#resolve(query.name);
      if (hasTokens(seen)) return believed({ ...seen, key }, seen.moment.store);
      // I8: before the caller's tokens or `loadTokens` could add it again.
      if (isForgotten(record) || isForgotten(seen)) {
        throw new BerbixGoneError('The tokens of this transaction were removed from the store.');
      }
      tokens ??= await this.#ask(query.owner);
      await this.#add(query, record, key, seen, tokens);
    }
  }

  /**
   * Replaces a dead refresh token if the application's own database has another one, unless another
   * replica was faster. Resolves to whether there is another one.
   */
  async reload({ owner }: TokenQuery, seen: SeenTokens): Promise<boolean> {
    const tokens = await this.loader.load(owner).catch((error: unknown) => {
      // The caller gets the error of the dead token.
      this.#logger.warn((error as Error).message);
      return undefined;
    });
    if (tokens === undefined || isOfRecord(seen.value, tokens.refreshToken)) return false;
    // I3: a faster replica may have stored and spent it since.
    const lease = await this.sealed.lease(seen.key, seen, SHORT_LEASE_MS, seen.attempt);
    if (lease === undefined) return true;
    const customerUid = uidOf(owner);
    if (seen.value.transactionId === undefined && tokens.transactionId === undefined) {
      // No exchange of the dead token ever succeeded, so nothing is lost. A new record for each
      // loaded token would never be removed.
      const next = { ...recordOf(tokens, undefined), customerUid };
      await this.#commit(seen.key, seen.version, next, customerUid && seen.key);
    } else await this.remember(tokens, customerUid);
    return true;
  }

  /** Whether the store has tokens under the name, or had them before they were forgotten. */
  async knows(name: string): Promise<boolean> {
    const { totalTimeoutMs } = this.limits;
    const { version } = await inTime('The token store', totalTimeoutMs, () =>
      this.sealed.load(name),
    );
    return version > 0;
  }

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
        : await this.#makeCurrent(tokens, customerUid);
    for (;;) {
      const { key, seen } = await this.#resolve(first);
      const value = hasTokens(seen) ? seen.value : undefined;
      if (value === undefined && wasCurrent && customerUid !== undefined) {
        // I8: forgotten. A removal of the customer may still be in flight; a new version makes it
        // fail.
        ({ key: first, wasCurrent } = await this.#makeCurrent(tokens, customerUid, true));
        continue;
      }
      const times = await this.#times(key, seen, tokens);
      const next = recordRemembered(value, tokens, times, customerUid);
      const isKept = next.refreshToken === value?.refreshToken;
      // If the reference is new, commit in any case: a removal of orphans must see a new version.
      if (isKept && wasCurrent && !hasMore(value, next)) return namesOf(key, next);
      // I2: an exchange of this token may be in flight or about to start, and the commit would end
      // its lease.
      if (isKept && !(await this.#hold(key, seen))) {
        if (this.#isClosing) throw shutDown();
        if (performance.now() >= waitUntil) throw renewalTimeoutError();
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
      } else if (await this.#commit(key, seen.version, next, customerUid && first)) {
        this.#warnOfSpare(value, next);
        return namesOf(key, next);
      }
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
   * Takes the lease, so that no exchange starts before the commit; false if another replica has it.
   */
  async #hold(key: string, seen: Found): Promise<boolean> {
    const { totalTimeoutMs } = this.limits;
    return (await this.sealed.lease(key, seen, totalTimeoutMs, seen.attempt)) !== undefined;
  }

  /**
   * Adds a name for the tokens; a failure loses nothing. A record of that name with tokens of its
   * own stays, unless its refresh token is the one that was spent for these.
   */
  async refer(name: string, key: string, spent: string): Promise<void> {
    if (name === key) return;
    try {
      const { version, value } = await this.sealed.load<TokenRecord | Reference>(name);
      const isOurs =
        value === undefined
          ? version === 0
          : isReference(value)
            ? value.see !== key
            : value.refreshToken === spent;
      if (isOurs) await this.sealed.commit<TokenRecord | Reference>(name, version, { see: key });
    } catch {
      // The next exchange adds it.
    }
  }

  /** Resolves a name, and ends a lease that is longer than any replica takes. */
  async #resolve(name: string): Promise<Resolved> {
    const found = await resolveRecord(this.sealed, name);
    const { key, seen } = found;
    if (!isOverlong(seen.leasedForMs, this.limits.leaseMs)) return found;
    await this.sealed.release(key, seen, seen.attempt);
    return { ...found, seen: { ...seen, leasedForMs: 0 } };
  }

  async #ask(owner: TransactionRef | undefined): Promise<BerbixTokens> {
    const tokens = await this.loader.load(owner);
    if (tokens !== undefined) return tokens;
    throw new BerbixNotFoundError(
      'No tokens are stored for this customer or transaction. Begin a verification, or hand its ' +
        'tokens over with remember().',
    );
  }

  /**
   * First the customer's reference, then the tokens: after a crash in between, this completes the
   * second.
   */
  async #add(
    { name, owner }: TokenQuery,
    record: Found,
    key: string,
    seen: Found,
    tokens: BerbixTokens,
  ): Promise<void> {
    const customerUid = uidOf(owner);
    if (customerUid !== undefined && key === name) {
      const see = await this.#placeOf(tokens);
      await this.sealed.commit(name, record.version, { see } satisfies Reference);
      return;
    }
    const next = { ...recordOf(tokens, undefined), customerUid };
    await this.#commit(key, seen.version, next, customerUid && key);
  }

  /**
   * Saves tokens, and removes them again if their customer was forgotten meanwhile (I8).
   *
   * @param reference the key by which the record of their customer must refer to them, if there is
   * one
   */
  async #commit(
    key: string,
    version: number,
    value: TokenRecord,
    reference: string | undefined,
  ): Promise<boolean> {
    if (!(await this.sealed.commit(key, version, value))) return false;
    if (reference === undefined || value.customerUid === undefined) return true;
    const customer = recordName.customer(value.customerUid);
    const known = referencesOf((await this.sealed.load<Reference>(customer)).value);
    if (!known.includes(reference)) await removeOrphan(this.sealed, key, customer);
    return true;
  }

  /**
   * Makes the tokens the current ones of the customer, and resolves to the key of their record.
   *
   * @param anew commits the reference even if it is already there
   */
  async #makeCurrent(
    tokens: BerbixTokens,
    customerUid: string,
    anew = false,
  ): Promise<{ key: string; wasCurrent: boolean }> {
    const name = recordName.customer(customerUid);
    for (;;) {
      const { version, value } = await this.sealed.load<Reference>(name);
      const known = referencesOf(value);
      const key = await this.#keyAmong(known, tokens);
      if (key === value?.see && !anew) return { key, wasCurrent: true };
      const reference = { see: key, earlier: known.filter((other) => other !== key) };
      if (await this.sealed.commit<Reference>(name, version, reference)) {
        return { key, wasCurrent: false };
      }
    }
  }

  /**
   * The key of the tokens' record: one of the known ones if it has these tokens, most likely the
   * last.
   */
  async #keyAmong(known: string[], tokens: BerbixTokens): Promise<string> {
    const key = await this.#placeOf(tokens);
    if (known.includes(key)) return key;
    for (const other of known.toReversed()) {
      const { value } = await this.sealed.load<TokenRecord>(other);
      if (value === undefined) continue;
      const isSame =
        isOfRecord(value, tokens.refreshToken) ||
        (tokens.transactionId !== undefined && value.transactionId === tokens.transactionId);
      if (isSame) return other;
    }
    return key;
  }

  /** The key that the record of the tokens has, or will have. */
  async #placeOf(tokens: BerbixTokens): Promise<string> {
    const key = keyFor(tokens);
    return tokens.transactionId === undefined ? key : (await this.#resolve(key)).key;
  }

  /**
   * When the tokens expire, on the store's clock; without a record, a short lease reads that clock.
   */
  async #times(key: string, seen: Found, tokens: BerbixTokens): Promise<Times | undefined> {
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
    before.customerUid !== next.customerUid ||
    before.spares !== next.spares ||
    (before.expiresAt ?? 0) < (next.expiresAt ?? 0)
  );
}

function uidOf(owner: TransactionRef | undefined): string | undefined {
  return owner && 'customerUid' in owner ? owner.customerUid : undefined;
}
