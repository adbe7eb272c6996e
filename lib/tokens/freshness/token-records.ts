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

/** A record with tokens, as it was found under its own name or another. */
export interface SeenTokens extends OpenedRecord<TokenRecord> {
  readonly key: string;
  readonly value: TokenRecord;
}

/** What is asked for: a name, whose it is, and the tokens that came along. */
export interface TokenQuery {
  readonly name: string;
  readonly owner?: TransactionRef | undefined;
  readonly given?: BerbixTokens | undefined;
  /** When, by `performance.now()`, if it was a while ago: the caller's time runs since then. */
  readonly askedAt?: number | undefined;
}

/** For a lease that makes sure of one step, or only reads the store's clock, in milliseconds. */
const SHORT_LEASE_MS = 1_000;

/** Milliseconds between two looks at a record whose exchange is waited for. */
const BETWEEN_LOOKS_MS = 100;

/**
 * Finds, adds and removes the records of transactions and customers. The record of a customer
 * refers to that of the current transaction; every change says what it expects to find, so that
 * two replicas that add the same transaction end with one record.
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
   * The record with the tokens; added from what came along or from the application's own database
   * where the store knows nothing.
   *
   * @throws (as a rejection) {BerbixNotFoundError} nobody knows it, {BerbixGoneError} it was
   * forgotten, {BerbixStoreError} the store or `loadTokens` failed
   */
  async find(query: TokenQuery): Promise<SeenTokens> {
    for (let tokens = query.given; ;) {
      const { record, key, seen } = await this.#resolve(query.name);
      if (hasTokens(seen)) return believed({ ...seen, key }, seen.moment.store);
      if (isForgotten(record) || isForgotten(seen)) {
        throw new BerbixGoneError('The tokens of this transaction were removed from the store.');
      }
      tokens ??= await this.#ask(query.owner);
      await this.#add(query, record, key, seen, tokens);
    }
  }

  /**
   * Looks whether the application's own database has another refresh token than the dead one in the
   * store, and puts it in its place, unless somebody else was faster. Resolves to whether it has.
   */
  async reload({ owner }: TokenQuery, seen: SeenTokens): Promise<boolean> {
    const tokens = await this.loader.load(owner).catch((error: unknown) => {
      // What is dead is so all the same.
      this.#logger.warn((error as Error).message);
      return undefined;
    });
    if (tokens === undefined || isOfRecord(seen.value, tokens.refreshToken)) return false;
    // Whoever was faster may have spent it since.
    const lease = await this.sealed.lease(seen.key, seen, SHORT_LEASE_MS, seen.note);
    if (lease === undefined) return true;
    const customerUid = uidOf(owner);
    if (seen.value.transactionId === undefined && tokens.transactionId === undefined) {
      // No exchange ever succeeded with the dead one, so nothing is lost. A record for each that is loaded
      // would never be removed.
      const next = { ...recordOf(tokens, undefined), customerUid };
      await this.#commit(seen.key, seen.version, next, customerUid && seen.key);
    } else await this.remember(tokens, customerUid);
    return true;
  }

  /** Whether the store has tokens under the name, or had them until they were forgotten. */
  async knows(name: string): Promise<boolean> {
    const { totalTimeoutMs } = this.limits;
    const { version } = await inTime('The token store', totalTimeoutMs, () =>
      this.sealed.load(name),
    );
    return version > 0;
  }

  /**
   * Puts tokens into the store: a new transaction becomes the current one of its customer. A refresh
   * token that the API has replaced since leaves the new one where it is. Resolves to the names that
   * lead to them.
   *
   * @throws {BerbixTimeoutError} (as a rejection) when an exchange of the same token did not end in time
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
        // Forgotten, and the removal of the customer may still be under way: make it fail.
        ({ key: first, wasCurrent } = await this.#makeCurrent(tokens, customerUid, true));
        continue;
      }
      const times = await this.#times(key, seen, tokens);
      const next = recordRemembered(value, tokens, times, customerUid);
      const isKept = next.refreshToken === value?.refreshToken;
      // A removal of orphans must notice that a customer refers to these tokens from now on.
      if (isKept && wasCurrent && !hasMore(value, next)) return namesOf(key, next);
      // An exchange of this very token may be under way, or about to begin; the commit would end its lease.
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

  /** Where the API replaces refresh tokens, only one of the two still works. */
  #warnOfSpare(before: TokenRecord | undefined, next: TokenRecord): void {
    if (!before?.rotates || before.spares === next.spares) return;
    const which = before.refreshToken === next.refreshToken ? 'the stored one' : 'the new one';
    this.#logger.warn(
      `remember() was given an unknown refresh token, which may be newer or older than the stored one. Both are kept: ${which} is used, and the other one if the API does not know that.`,
    );
  }

  /** Whether nobody else is at work with the record, nor will be until the commit. */
  async #hold(key: string, seen: Found): Promise<boolean> {
    const { totalTimeoutMs } = this.limits;
    return (await this.sealed.lease(key, seen, totalTimeoutMs, seen.note)) !== undefined;
  }

  /**
   * Lets the tokens be found under another name too; nothing is lost where that fails. Another
   * record of that name stays, unless it has the refresh token that was spent for these.
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
      // The next exchange does it.
    }
  }

  /** Ends a lease that is longer than any replica takes. */
  async #resolve(name: string): Promise<Resolved> {
    const found = await resolveRecord(this.sealed, name);
    const { key, seen } = found;
    if (!isOverlong(seen.leasedForMs, this.limits.leaseMs)) return found;
    await this.sealed.release(key, seen, seen.note);
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

  /** First the customer's reference, then the tokens: what a crash leaves in between is completed here. */
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
   * Saves tokens, unless their customer is forgotten at the same time: nothing would lead to them.
   *
   * @param reference what the record of their customer refers to, where he is named
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
   * The key of the tokens' record, to which the customer's refers from now on.
   *
   * @param anew commits the reference also where it is there
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

  /** The key of the tokens' record, which may be one of those, the last one most likely. */
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

  /** The key of the tokens' record, or what it will be. */
  async #placeOf(tokens: BerbixTokens): Promise<string> {
    const key = keyFor(tokens);
    return tokens.transactionId === undefined ? key : (await this.#resolve(key)).key;
  }

  /** The end of the tokens on the store's clock; a lease reads it where there is no record yet. */
  async #times(key: string, seen: Found, tokens: BerbixTokens): Promise<Times | undefined> {
    if (tokens.needsRefresh()) return undefined;
    const leftMs = tokens.leftMs();
    const clock =
      seen.moment.store > 0 ? seen : await this.sealed.lease(key, seen, SHORT_LEASE_MS, seen.note);
    if (clock === undefined) return undefined;
    const { lifetimeMs = leftMs } = tokens;
    // The clock of this machine may have been set back since the tokens came.
    return { expiresAt: storeTime(clock) + Math.min(leftMs, lifetimeMs), lifetimeMs };
  }
}

/** Whether there is something in the next record that is not in the one before. */
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
