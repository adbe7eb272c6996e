import { Pauses, shutDownError } from '../concurrency/index.js';
import { BerbixTimeoutError } from '../errors/index.js';
import type { RecordRevision, SealedRecords, StoreMoment } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import { keyFor, recordName } from './record-names.js';
import {
  candidatesOf,
  hasTokens,
  pastWithout,
  referenceOf,
  referencesOf,
  resolveRecord,
  type Reference,
} from './token-lookup.js';
import { TokenNames } from './token-names.js';
import { isOfRecord, type TokenRecord } from './token-record.js';
import { removeOrphan } from './token-removal.js';

/** Milliseconds that a lease lasts, and that a call may take. */
export interface RecordLimits {
  readonly leaseMs: number;
  readonly totalTimeoutMs: number;
}

/** What the record of a customer says. */
export interface IndexedCustomer {
  /** Grows with each change. */
  readonly version: number;
  /** Keys of the records of their transactions, the current one last. */
  readonly keys: string[];
  /** Those of them that may be the current one, the last one first. */
  readonly candidates: string[];
  /** See {@link Reference.past}. */
  readonly past: string | undefined;
}

/** The lease of a customer's record: no other call begins a transaction or erases the customer. */
export interface CustomerLease extends RecordRevision, Pick<IndexedCustomer, 'keys' | 'past'> {
  readonly customerUid: string;
  readonly moment: StoreMoment;
}

/** The records of customers. Each one refers to the records of the customer's transactions. */
export class CustomerIndex {
  readonly #names: TokenNames;

  /** @param closing once it is aborted, nothing waits for another replica */
  constructor(
    private readonly sealed: SealedRecords,
    readonly limits: RecordLimits,
    private readonly closing: AbortSignal,
  ) {
    this.#names = new TokenNames(sealed);
  }

  /** Undefined if there is no record, not even one of a customer who was forgotten. */
  async find(customerUid: string): Promise<IndexedCustomer | undefined> {
    const seen = await this.sealed.load<Reference>(recordName.customer(customerUid));
    const { version, leaseEpoch, value } = seen;
    if (version === 0 && leaseEpoch === 0) return undefined;
    return {
      version,
      keys: referencesOf(value),
      candidates: candidatesOf(value),
      past: value?.past,
    };
  }

  /**
   * Waits for the customer's lease; undefined if the version of the record has changed.
   *
   * @throws {BerbixTimeoutError} (as a rejection) if another call has it for too long
   */
  async acquire(customerUid: string, version: number): Promise<CustomerLease | undefined> {
    const { leaseMs, totalTimeoutMs } = this.limits;
    const name = recordName.customer(customerUid);
    const giveUpAt = performance.now() + totalTimeoutMs;
    const pauses = Pauses.whileLeased();
    for (;;) {
      const seen = await this.sealed.load<Reference>(name, leaseMs);
      if (seen.version !== version) return undefined;
      if (seen.leasedForMs === 0) {
        const lease = await this.sealed.lease(name, seen, leaseMs, {});
        if (lease !== undefined) {
          const { past } = seen.value ?? {};
          return { ...lease, version, customerUid, keys: referencesOf(seen.value), past };
        }
      }
      if (this.closing.aborted) throw shutDownError();
      if (performance.now() >= giveUpAt) throw customerBusyError();
      await pauses.next();
    }
  }

  /** Ignores a failure: the lease expires by itself, and an earlier error matters more. */
  async release({ customerUid, ...held }: CustomerLease): Promise<void> {
    await this.sealed.release(recordName.customer(customerUid), held, {}).catch(() => false);
  }

  /**
   * Makes a new transaction the current one, which ends the lease. Resolves to false if the record
   * has changed.
   */
  async append(
    { customerUid, version, keys, past }: CustomerLease,
    key: string,
    keepTrying: () => boolean,
  ): Promise<boolean> {
    return this.#commit(customerUid, version, { keys: [...keys, key], past }, keepTrying);
  }

  /**
   * The last step of a new transaction, after its tokens are saved: no earlier transaction counts any
   * more, and other calls see that the record has changed. Resolves to false if it is no longer the
   * current one.
   */
  async confirm(lease: CustomerLease, key: string, keepTrying: () => boolean): Promise<boolean> {
    const { customerUid } = lease;
    let [version, keys] = [lease.version + 1, [...lease.keys, key]];
    for (;;) {
      const next = { keys, past: keys.at(-2) };
      if (await this.#commit(customerUid, version, next, keepTrying)) return true;
      const customer = await this.find(customerUid);
      // Another call may only have forgotten an earlier one.
      if (customer?.keys.at(-1) !== key) return false;
      ({ version, keys } = customer);
    }
  }

  /**
   * Makes the tokens the current ones of the customer, and resolves to the key of their record.
   *
   * @param isForced commits the reference even if it is already there
   */
  async makeCurrent(
    tokens: BerbixTokens,
    customerUid: string,
    isForced = false,
  ): Promise<{ key: string; wasCurrent: boolean }> {
    for (;;) {
      const { version = 0, keys = [], past } = (await this.find(customerUid)) ?? {};
      const key = await this.keyAmong(keys, tokens);
      if (key === keys.at(-1) && !isForced && key !== past) return { key, wasCurrent: true };
      const others = keys.filter((other) => other !== key);
      const next = { keys: [...others, key], past: pastWithout(key, keys, past) };
      if (await this.#commit(customerUid, version, next)) return { key, wasCurrent: false };
    }
  }

  /**
   * Saves tokens, unless their record has `changed`; removes them again if their customer was
   * `forgotten` meanwhile (I8). Earlier transactions no longer count. A transaction whose record was
   * added without its id is found by that too.
   *
   * @param reference the key by which the record of their customer must refer to them, if there is
   * one
   */
  async save(
    key: string,
    version: number,
    value: TokenRecord,
    reference: string | undefined,
  ): Promise<'saved' | 'changed' | 'forgotten'> {
    const outcome = await this.#save(key, version, value, reference);
    if (outcome === 'saved') await this.#names.referTransaction(key, value, value.refreshToken);
    return outcome;
  }

  async #save(
    key: string,
    version: number,
    value: TokenRecord,
    reference: string | undefined,
  ): Promise<'saved' | 'changed' | 'forgotten'> {
    if (!(await this.sealed.commit(key, version, value))) return 'changed';
    const { customerUid } = value;
    if (reference === undefined || customerUid === undefined) return 'saved';
    const customer = await this.find(customerUid);
    if (!customer?.keys.includes(reference)) {
      await removeOrphan(this.sealed, key, recordName.customer(customerUid));
      return 'forgotten';
    }
    if (customer.candidates[0] === reference && customer.candidates.length > 1) {
      const { version: seen, keys } = customer;
      await this.#commit(customerUid, seen, { keys, past: keys.at(-2) });
    }
    return 'saved';
  }

  #commit(
    customerUid: string,
    version: number,
    { keys, past }: Pick<IndexedCustomer, 'keys' | 'past'>,
    keepTrying?: () => boolean,
  ): Promise<boolean> {
    const name = recordName.customer(customerUid);
    return this.sealed.commit(name, version, referenceOf(keys, past), { keepTrying });
  }

  /** The key of the tokens' record: one of these if it has them, most likely the last. */
  async keyAmong(keys: string[], tokens: BerbixTokens): Promise<string> {
    const key = await resolvedKey(this.sealed, tokens);
    if (keys.includes(key)) return key;
    for (const other of keys.toReversed()) {
      const { seen } = await resolveRecord(this.sealed, other);
      if (hasTokens(seen) && hasTheTokens(seen.value, tokens)) return other;
    }
    return key;
  }
}

/** The key that the record of the tokens has, or will have. */
export async function resolvedKey(sealed: SealedRecords, tokens: BerbixTokens): Promise<string> {
  const key = keyFor(tokens);
  return tokens.transactionId === undefined ? key : (await resolveRecord(sealed, key)).seen.key;
}

function hasTheTokens(value: TokenRecord, { refreshToken, transactionId }: BerbixTokens): boolean {
  if (isOfRecord(value, refreshToken)) return true;
  return transactionId !== undefined && value.transactionId === transactionId;
}

function customerBusyError(): BerbixTimeoutError {
  return new BerbixTimeoutError(
    'Another call is beginning or erasing the verification of this customer, and did not finish in time.',
    { retryable: true },
  );
}
