import type { RecordRevision, SealedRecords } from '../token-store/index.js';
import { isCustomer, namesOf, recordName } from './record-names.js';
import {
  candidatesOf,
  hasTokens,
  isReference,
  referencesOf,
  resolveRecord,
  type NamedRecord,
  type Reference,
} from './token-lookup.js';
import type { TokenRecord } from './token-record.js';

/** The outcome of a removal. */
export interface Removal {
  /** The names under which the removed tokens were found. */
  readonly names: string[];
  /** Whether there was anything to remove. */
  readonly wasStored: boolean;
  /** Whether the named record itself was removed too. */
  readonly isComplete: boolean;
}

/**
 * Removes records of transactions and customers (I8). Each step names the version that it expects,
 * so a delayed step removes nothing that was stored since (I5).
 */
export class TokenRemoval {
  constructor(private readonly sealed: SealedRecords) {}

  /**
   * Removes the tokens of a transaction, or all tokens of a customer. Another replica's lease does
   * not prevent it. A transaction that the customer gets after the call stays.
   */
  async forget(name: string): Promise<Omit<Removal, 'isComplete'>> {
    const names = new Set([name]);
    let wasStored = false;
    const first: NamedRecord = await this.sealed.loadToRemove(name);
    for (let seen = first; ; seen = await this.sealed.loadToRemove(name)) {
      wasStored ||= wasThere(seen);
      // For a customer, the transactions of the first read; for a transaction, wherever its tokens
      // are now.
      await this.#removeFrom(name, isCustomer(name) ? first : seen, names);
      if (await this.#cut(name, seen, names)) break;
    }
    await this.#removeOrphans(name, names);
    return { names: [...names], wasStored };
  }

  /**
   * Removes the tokens if the record has not changed since it was seen. Tokens that are saved during
   * the removal stay: the call that saves them changes the record first.
   */
  async forgetIfUnchanged(name: string, expected: RecordRevision): Promise<Removal> {
    const names = new Set([name]);
    const found: NamedRecord = await this.sealed.loadToRemove(name);
    if (found.version !== expected.version)
      return { names: [], wasStored: false, isComplete: false };
    await this.#removeFrom(name, found, names, async () => {
      const { version } = await this.sealed.loadToRemove(name);
      return version === expected.version;
    });
    const isComplete = await this.sealed.forget(name, expected);
    if (isComplete) await this.#removeOrphans(name, names);
    return { names: [...names], wasStored: wasThere(found), isComplete };
  }

  /**
   * Removes everything that the record refers to, and collects the names. The record itself is
   * removed later: while it exists, this can be repeated. Records of other customers stay: they may
   * have other transactions.
   *
   * @param mayGo called after each record is read, before it is removed
   */
  async #removeFrom(
    name: string,
    { value }: NamedRecord,
    names: Set<string>,
    mayGo?: () => Promise<boolean>,
  ): Promise<void> {
    // If tokens are not saved yet, they cannot be any more: their process may die right after.
    for (const key of referencesOf(value)) await this.sealed.preclude(key);
    await this.#follow(name, value, names);
    const others = [...names].filter((other) => other !== name);
    // First, since only the tokens lead to them.
    for (const other of others.filter(isCustomer)) await this.#mark(other, names);
    for (const other of others) if (!isCustomer(other)) await this.sealed.remove(other, mayGo);
  }

  /** No earlier transaction takes the place of a customer's current one, if that has these names. */
  async #mark(customer: string, names: Set<string>): Promise<void> {
    for (;;) {
      const { version, value } = await this.sealed.loadToRemove<Reference>(customer);
      const past = candidatesOf(value).find((key) => names.has(key));
      if (value === undefined || past === undefined) return;
      if (await this.sealed.commit(customer, version, { ...value, past })) return;
    }
  }

  async #follow(name: string, value: NamedRecord['value'], names: Set<string>): Promise<void> {
    const found: [string, NamedRecord['value']][] = [[name, value]];
    for (const [key, record] of found) {
      if (record === undefined) continue;
      if (!isReference(record)) {
        for (const other of namesOf(key, record)) names.add(other);
        continue;
      }
      for (const next of referencesOf(record)) {
        names.add(next);
        if (found.some(([other]) => other === next)) continue;
        found.push([next, (await this.sealed.loadToRemove<TokenRecord | Reference>(next)).value]);
      }
    }
  }

  /** Removes the record, or its references to these names; resolves to false if it has changed. */
  async #cut(name: string, seen: NamedRecord, names: Set<string>): Promise<boolean> {
    const { version, leaseEpoch, value } = seen;
    // There is no record.
    if (version === 0 && leaseEpoch === 0) return true;
    const left = isCustomer(name) ? referencesOf(value).filter((key) => !names.has(key)) : [];
    const see = left.pop();
    return see === undefined
      ? this.sealed.forget(name, seen)
      : this.sealed.commit<Reference>(name, version, { ...value, see, earlier: left });
  }

  /** Removes what was remembered for the customer while they were being forgotten. */
  async #removeOrphans(name: string, names: Set<string>): Promise<void> {
    if (!isCustomer(name)) return;
    for (const other of names) {
      if (!isCustomer(other)) await removeOrphan(this.sealed, other, name);
    }
  }
}

/** Whether there is a value, even one that cannot be read. */
function wasThere({ value, unread }: NamedRecord): boolean {
  return value !== undefined || unread !== undefined;
}

/** Removes tokens of the customer to which the customer's record does not refer (I8). */
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
    return !places.some((place) => place.seen.key === key);
  });
}
