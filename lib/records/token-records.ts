import { Logger } from '@nestjs/common';
import { withTimeout } from '../concurrency/index.js';
import { BerbixGoneError, BerbixNotFoundError, logLine } from '../errors/index.js';
import { SHORT_LEASE_MS, type RecordLease, type SealedRecords } from '../token-store/index.js';
import { BerbixTokens, type BerbixTransactionRef } from '../values/index.js';
import { believed } from './clock-steps.js';
import { resolvedKey, type CustomerIndex } from './customer-index.js';
import { exchangeTimes } from './local-tokens.js';
import { noAnswerError } from './record-errors.js';
import { recordRemembered } from './settle.js';
import type { TokenLoader } from './token-loader.js';
import {
  candidatesOf,
  hasTokens,
  isForgotten,
  referencesOf,
  resolveRecord,
  withLoaded,
  type NamedRecord,
  type Resolution,
  type SeenTokens,
} from './token-lookup.js';
import type { TokenQuery } from './token-query.js';
import { isOfRecord, recordOf, type Times } from './token-record.js';

/** Tokens with the record that led to them. */
export interface FoundTokens extends SeenTokens {
  /** That of the name by which they were looked up. */
  readonly named: NamedRecord;
}

/**
 * Finds and adds the records of transactions and customers. The record of a customer refers to that
 * of the current transaction. Every change names the version that it expects, so two replicas that
 * add the same transaction end with one record (I5).
 */
export class TokenRecords {
  readonly #logger = new Logger('BerbixTokenService');

  constructor(
    private readonly sealed: SealedRecords,
    private readonly loader: TokenLoader,
    private readonly index: CustomerIndex,
  ) {}

  /**
   * The record with the tokens. If the store has none, it is added from the tokens that the caller
   * passed, or from the application's own database.
   *
   * @throws (as a rejection) {BerbixNotFoundError} if there are none anywhere, {BerbixGoneError} if
   * they were forgotten, {BerbixStoreError} if the store or `loadTokens` failed
   */
  async findOrAdd(query: TokenQuery): Promise<FoundTokens> {
    for (let tokens = query.given; ;) {
      const { record, seen } = await resolveRecord(
        this.sealed,
        query.name,
        this.index.limits.leaseMs,
      );
      // Another call has made a transaction current, and not saved its tokens yet.
      const current = seen.version === 0 ? ((await this.#earlier(record)) ?? seen) : seen;
      if (hasTokens(current)) {
        return believed({ ...current, named: record }, current.moment.store);
      }
      // I8: before the caller's tokens or `loadTokens` could add it again.
      if (isForgotten(record) || isForgotten(current)) {
        throw new BerbixGoneError('The tokens of this transaction were removed from the store.');
      }
      tokens ??= await this.#ask(query.owner);
      await this.#add(query, { record, seen }, tokens);
    }
  }

  /**
   * Replaces a dead refresh token if the application's own database has another one, unless another
   * replica was faster. Resolves to whether there is another one.
   */
  async reload({ owner }: TokenQuery, seen: FoundTokens): Promise<boolean> {
    const tokens = await this.loader.load(owner).catch((error: unknown) => {
      // The caller gets the error of the dead token.
      this.#logger.warn(logLine('', error));
      return undefined;
    });
    if (tokens === undefined || isOfRecord(seen.value, tokens.refreshToken)) return false;
    // I3: a faster replica may have stored and spent it since.
    const lease = await this.sealed.lease(seen.key, seen, SHORT_LEASE_MS, seen.attempt);
    if (lease === undefined) return true;
    try {
      return await this.#reloaded(uidOf(owner), seen, tokens, lease);
    } finally {
      // If another record has the loaded tokens: once their exchange tells of which transaction they
      // are, this record is united with that one.
      const held = { version: seen.version, leaseEpoch: lease.leaseEpoch };
      await this.sealed.release(seen.key, held, seen.attempt).catch(() => false);
    }
  }

  /** Saves loaded tokens under the lease of the dead one. */
  async #reloaded(
    customerUid: string | undefined,
    seen: FoundTokens,
    tokens: BerbixTokens,
    lease: RecordLease,
  ): Promise<boolean> {
    if (seen.value.transactionId === undefined && tokens.transactionId === undefined) {
      // No exchange of the dead token ever succeeded, so nothing is lost. A new record for each
      // loaded token would never be removed.
      const next = { ...recordOf(tokens, undefined), customerUid };
      await this.index.save(seen.key, seen.version, next, customerUid && seen.key);
      return true;
    }
    const times = tokens.needsRefresh() ? undefined : exchangeTimes(tokens, lease.moment);
    return this.#replace(seen, tokens, times, customerUid);
  }

  /**
   * Replaces a dead refresh token, or makes another transaction the customer's current one. What has
   * changed since it was read stays, to be read again (I8). Resolves to false if the tokens were
   * forgotten before.
   */
  async #replace(
    seen: FoundTokens,
    tokens: BerbixTokens,
    times: Times | undefined,
    customerUid: string | undefined,
  ): Promise<boolean> {
    const { named } = seen;
    if (customerUid === undefined) {
      const next = recordRemembered(seen.value, tokens, times, undefined);
      await this.sealed.commit(seen.key, seen.version, next);
      return true;
    }
    const keys = referencesOf(named.value);
    const see = await this.index.keyAmong(keys, tokens);
    const { seen: target } = await resolveRecord(this.sealed, see);
    if (target.key !== seen.key) {
      if (isForgotten(target)) return false;
      const last = await resolveRecord(this.sealed, keys.at(-1) ?? see);
      const next = withLoaded(named.value, see, last.seen.version === 0);
      if (!(await this.sealed.commit(named.key, named.version, next))) return true;
    } else if (target.version !== seen.version) return true;
    const before = hasTokens(target) ? target.value : undefined;
    const next = recordRemembered(before, tokens, times, customerUid);
    // I2: a commit would end the lease of an exchange.
    if (target.key !== seen.key && next.refreshToken === before?.refreshToken) return true;
    await this.index.save(target.key, target.version, next, see);
    return true;
  }

  /** Whether the store has tokens under the name, or had them before they were forgotten. */
  async knows(name: string): Promise<boolean> {
    const { totalTimeoutMs } = this.index.limits;
    const { version } = await withTimeout(
      () => this.sealed.load(name),
      totalTimeoutMs,
      () => noAnswerError('The token store', totalTimeoutMs, 'TIMEOUT'),
    );
    return version > 0;
  }

  /** The record of the transaction that was the current one of a customer before; I8: forgotten or not. */
  async #earlier({ value }: NamedRecord): Promise<NamedRecord | undefined> {
    for (const name of candidatesOf(value).slice(1)) {
      const { seen } = await resolveRecord(this.sealed, name, this.index.limits.leaseMs);
      if (seen.version > 0) return seen;
    }
    return undefined;
  }

  async #ask(owner: BerbixTransactionRef | undefined): Promise<BerbixTokens> {
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
    { record, seen }: Resolution,
    tokens: BerbixTokens,
  ): Promise<void> {
    let { key } = seen;
    const customerUid = uidOf(owner);
    if (customerUid !== undefined) {
      const see = await resolvedKey(this.sealed, tokens);
      if (referencesOf(record.value).includes(see)) key = see;
      // Another call is saving the tokens of the customer's transaction, and these are of another one.
      else if (key === name || (tokens.transactionId !== undefined && see !== key)) {
        const next = withLoaded(record.value, see, key !== name);
        await this.sealed.commit(name, record.version, next);
        return;
      }
    }
    const next = { ...recordOf(tokens, undefined), customerUid };
    await this.index.save(key, seen.version, next, customerUid && key);
  }
}

function uidOf(owner: BerbixTransactionRef | undefined): string | undefined {
  return owner && 'customerUid' in owner ? owner.customerUid : undefined;
}
