import { Logger } from '@nestjs/common';
import { logLine } from '../errors/index.js';
import { SHORT_LEASE_MS, type SealedRecords } from '../token-store/index.js';
import { isAnonymous, isCustomer, recordName } from './record-names.js';
import { united } from './settle.js';
import {
  hasTokens,
  isReference,
  referencesOf,
  resolveRecord,
  type NamedRecord,
  type Reference,
  type SeenTokens,
} from './token-lookup.js';
import { isSuperseded, type TokenRecord } from './token-record.js';

/**
 * The names under which tokens are found, besides that of their own record. Two records of one
 * transaction become one.
 */
export class TokenNames {
  readonly #logger = new Logger('BerbixTokenService');

  constructor(private readonly sealed: SealedRecords) {}

  /** Makes tokens whose record was added without their transaction available by its id too. */
  async referTransaction(key: string, value: TokenRecord, spent: string): Promise<void> {
    const { transactionId } = value;
    if (transactionId === undefined || !isAnonymous(key)) return;
    await this.refer(recordName.transaction(transactionId), key, spent);
  }

  /** I3: a record of the spent refresh token alone, of the same transaction, leads to the tokens. */
  async referSpent(key: string, spent: string): Promise<void> {
    await this.refer(recordName.anonymous(spent), key, spent, true);
  }

  /**
   * Adds a name for the tokens; a failure loses nothing. If there is a record of that name, its
   * verification stays known, and another refresh token of it becomes a spare of these.
   *
   * @param ifThere adds nothing if there is no record of that name
   */
  async refer(name: string, key: string, spent: string, ifThere = false): Promise<void> {
    if (name === key) return;
    try {
      for (let isDone = false; !isDone;) {
        const seen: NamedRecord = await this.sealed.load(name);
        if (ifThere && seen.value === undefined) return;
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
