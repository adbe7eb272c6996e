import { Logger } from '@nestjs/common';
import { withTimeout } from '../concurrency/index.js';
import { BerbixGoneError, BerbixNotFoundError, logLine } from '../errors/index.js';
import { SHORT_LEASE_MS, type SealedRecords, type OpenedRecord } from '../token-store/index.js';
import { BerbixTokens, type BerbixTransactionRef } from '../values/index.js';
import { believed } from './clock-steps.js';
import { resolvedKey, type CustomerIndex } from './customer-index.js';
import { exchangeTimes } from './local-tokens.js';
import { noAnswerError } from './record-errors.js';
import { isCustomer } from './record-names.js';
import { recordRemembered, united } from './settle.js';
import type { TokenLoader } from './token-loader.js';
import {
  candidatesOf,
  hasTokens,
  isForgotten,
  isReference,
  referencesOf,
  resolveRecord,
  withLoaded,
  type NamedRecord,
  type Resolution,
  type Reference,
} from './token-lookup.js';
import type { TokenQuery } from './token-query.js';
import {
  isOfRecord,
  isSuperseded,
  recordOf,
  type Times,
  type TokenRecord,
} from './token-record.js';

/** A record with tokens, under its own name or another one. */
export interface SeenTokens extends OpenedRecord<TokenRecord> {
  readonly value: TokenRecord;
}

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
    const customerUid = uidOf(owner);
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

  /**
   * Adds a name for the tokens; a failure loses nothing. If there is a record of that name, its
   * verification stays known, and another refresh token of it becomes a spare of these.
   */
  async refer(name: string, key: string, spent: string): Promise<void> {
    if (name === key) return;
    try {
      for (let isDone = false; !isDone;) {
        const seen: NamedRecord = await this.sealed.load(name);
        const next = referenceTo(key, seen, spent);
        if (next === undefined) return;
        if (isReference(seen.value) && !isCustomer(name)) {
          const { seen: other } = await resolveRecord(this.sealed, seen.value.see);
          if (hasTokens(other) && other.key !== key) {
            if (await this.#move(key, other, spent)) return;
            continue;
          }
        }
        if (hasTokens(seen)) {
          const isSpent = seen.value.refreshToken === spent;
          // The next exchange tries again. But nobody may present a spent refresh token (I3).
          if (!(await this.#unite(key, seen, isSpent)) && !isSpent) return;
        }
        isDone = await this.sealed.commit(name, seen.version, next);
      }
      await this.#retract(name, key);
    } catch (error) {
      const meaning = 'Tokens could not be stored under another of their names:';
      this.#logger.warn(logLine(meaning, error));
    }
  }

  /** I8: removes a new reference if the tokens to which it leads were forgotten meanwhile. */
  async #retract(name: string, key: string): Promise<void> {
    if (isCustomer(name) || (await this.sealed.load(key)).value !== undefined) return;
    await this.sealed.remove<Reference>(name, ({ value }) => value?.see === key);
  }

  /** Adds what another record of the transaction has; resolves to false if either is in use. */
  async #unite(key: string, other: SeenTokens, isSpent: boolean): Promise<boolean> {
    const seen = await this.sealed.load<TokenRecord>(key);
    if (!hasTokens(seen)) return false;
    // The result of an exchange of the spent refresh token is merged with this record.
    if (!(await this.#lease(isSpent ? [seen] : [other, seen]))) return false;
    return this.sealed.commit(key, seen.version, united(seen.value, other.value));
  }

  /**
   * Moves tokens to another record of their transaction, to which its name leads already, and unites
   * the two. Resolves to false if either has changed; if either is in use, the next exchange tries
   * again.
   */
  async #move(key: string, to: SeenTokens, spent: string): Promise<boolean> {
    const seen = await this.sealed.load<TokenRecord>(key);
    if (!hasTokens(seen) || referenceTo(key, to, spent) === undefined) return true;
    if (!(await this.#lease([to, seen]))) return true;
    return (
      (await this.sealed.commit(to.key, to.version, united(seen.value, to.value))) &&
      (await this.sealed.commit<Reference>(key, seen.version, { see: to.key }))
    );
  }

  /** I2: a commit would end the lease of an exchange. */
  async #lease(records: SeenTokens[]): Promise<boolean> {
    for (const seen of records) {
      if (!(await this.sealed.lease(seen.key, seen, SHORT_LEASE_MS, seen.attempt))) return false;
    }
    return true;
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

/** What a name must refer to so that it leads to the key too; undefined if its record stays. */
function referenceTo(
  key: string,
  { key: name, version, value }: NamedRecord,
  spent: string,
): Reference | undefined {
  // I8: a forgotten record has a version. But tokens of a forgotten transaction may be remembered
  // again, without its id; forget() of the id must find them.
  if (value === undefined) return version > 0 && isCustomer(name) ? undefined : { see: key };
  if (!isReference(value)) {
    // I3, I4: it has a newer refresh token, or one of which the application must be notified.
    const stays = isSuperseded(value, spent) || value.pendingRotation !== undefined;
    return stays && value.refreshToken !== spent ? undefined : { see: key };
  }
  if (referencesOf(value).includes(key)) return undefined;
  if (!isCustomer(name)) return { see: key };
  // The transaction that is the customer's current one may have begun after this one.
  return { ...value, earlier: [...(value.earlier ?? []), key] };
}
