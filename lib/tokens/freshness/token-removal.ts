import type { SeenRecord, SealedRecords } from '../../token-store/index.js';
import {
  hasTokens,
  isCustomer,
  isReference,
  namesOf,
  referencesOf,
  resolveRecord,
  type Found,
} from './token-lookup.js';
import { recordName, type Reference, type TokenRecord } from './token-record.js';

/** What was removed. */
export interface Removal {
  /** The names that led to it. */
  readonly names: string[];
  /** Whether the record asked for is gone too. */
  readonly isComplete: boolean;
}

/**
 * Removes records of transactions and customers. Each step names the version it expects, so that a
 * delayed one removes nothing that was stored since.
 */
export class TokenRemoval {
  constructor(private readonly sealed: SealedRecords) {}

  /**
   * Removes the tokens, all of the customer's where one is named; resolves to the names they had.
   * What is there now is removed, even under another replica's lease; a transaction that the customer
   * is given from here on stays.
   */
  async forget(name: string): Promise<string[]> {
    const names = new Set([name]);
    const first: Found = await this.sealed.load(name);
    for (let seen = first; ; seen = await this.sealed.load(name)) {
      // For a customer, the transactions known at first; for a transaction, wherever its tokens are now.
      await this.#removeFrom(name, isCustomer(name) ? first : seen, names);
      if (await this.#cut(name, seen, names)) break;
    }
    await this.#removeOrphans(name, names);
    return [...names];
  }

  /** The same, if the record is as it was seen: what was added since stays. */
  async forgetAsSeen(name: string, seen: SeenRecord): Promise<Removal> {
    const names = new Set([name]);
    const found: Found = await this.sealed.load(name);
    if (found.version !== seen.version) return { names: [], isComplete: false };
    await this.#removeFrom(name, found, names);
    const isComplete = await this.sealed.forget(name, seen);
    if (isComplete) await this.#removeOrphans(name, names);
    return { names: [...names], isComplete };
  }

  /**
   * Removes all that the record leads to, and adds its names. The record itself comes last: as long
   * as it is there, this can be repeated. Customers stay: they may have other transactions.
   */
  async #removeFrom(name: string, { value }: Found, names: Set<string>): Promise<void> {
    await this.#follow(name, value, names);
    for (const other of names) {
      if (other !== name && !isCustomer(other)) await this.sealed.remove(other);
    }
  }

  async #follow(name: string, value: Found['value'], names: Set<string>): Promise<void> {
    const found: [string, Found['value']][] = [[name, value]];
    for (const [key, record] of found) {
      if (record === undefined) continue;
      if (!isReference(record)) {
        for (const other of namesOf(key, record)) names.add(other);
        continue;
      }
      for (const next of referencesOf(record)) {
        names.add(next);
        found.push([next, (await this.sealed.load<TokenRecord | Reference>(next)).value]);
      }
    }
  }

  /** Removes the record, or what it has of these names; resolves to whether it was as it was seen. */
  async #cut(name: string, seen: Found, names: Set<string>): Promise<boolean> {
    const { version, fence, value } = seen;
    // It has neither where there is no record.
    if (version === 0 && fence === 0) return true;
    const left = isCustomer(name) ? referencesOf(value).filter((key) => !names.has(key)) : [];
    const see = left.pop();
    return see === undefined
      ? this.sealed.forget(name, seen)
      : this.sealed.commit<Reference>(name, version, { see, earlier: left });
  }

  /** What was remembered meanwhile for the customer who was forgotten. */
  async #removeOrphans(name: string, names: Set<string>): Promise<void> {
    if (!isCustomer(name)) return;
    for (const other of names) {
      if (!isCustomer(other)) await removeOrphan(this.sealed, other, name);
    }
  }
}

/** Removes tokens that name the customer, unless the customer's record refers to them. */
export async function removeOrphan(
  sealed: SealedRecords,
  key: string,
  customer: string,
): Promise<void> {
  await sealed.remove<TokenRecord | Reference>(key, async (seen) => {
    if (!hasTokens(seen) || seen.value.customerUid === undefined) return false;
    if (recordName.customer(seen.value.customerUid) !== customer) return false;
    const { value } = await sealed.load<Reference>(customer);
    const places = await Promise.all(referencesOf(value).map((see) => resolveRecord(sealed, see)));
    return !places.some((place) => place.key === key);
  });
}
