import { randomUUID } from 'node:crypto';
import { BerbixGoneError, BerbixNotFoundError } from '../../errors/index.js';
import type { TokenVault, VaultRecord } from '../../token-store/index.js';
import { BerbixTokens } from '../berbix-tokens.js';
import type { BerbixTokenOptions, TokenOwner } from './freshness.options.js';
import { inTime } from './in-time.js';
import { nameOf, recordOf, storeTime, type Reference, type TokenRecord } from './token-record.js';

/** A record with tokens, as it was found under its own name or another. */
export interface SeenTokens extends VaultRecord<TokenRecord> {
  readonly key: string;
  readonly value: TokenRecord;
}

/** What is asked for: a name, whose it is, and the tokens that came along. */
export interface TokenQuery {
  readonly name: string;
  readonly owner?: TokenOwner | undefined;
  readonly given?: BerbixTokens | undefined;
  /** When, by `performance.now()`, if it was a while ago: the caller's time runs since then. */
  readonly askedAt?: number | undefined;
}

type Found = VaultRecord<TokenRecord | Reference>;

/** How long the lease is held that only serves to read the store's clock, in milliseconds. */
const CLOCK_LEASE_MS = 1_000;

/**
 * Finds, adds and removes the records of transactions and customers. The record of a customer
 * refers to that of the current transaction; every change says what it expects to find, so that
 * two replicas that add the same transaction end with one record.
 */
export class TokenRecords {
  constructor(
    private readonly vault: TokenVault,
    private readonly loadTokens: BerbixTokenOptions['loadTokens'],
    private readonly timeoutMs: number,
  ) {}

  /**
   * The record with the tokens; added from what came along or from the application's own database
   * where the store knows nothing.
   *
   * @throws (as a rejection) {BerbixNotFoundError} nobody knows it, {BerbixGoneError} it was forgotten
   */
  async find(query: TokenQuery): Promise<SeenTokens> {
    for (let tokens = query.given; ;) {
      const { record, key, seen } = await this.#resolve(query.name);
      if (hasTokens(seen)) return { ...seen, key };
      if (isForgotten(record) || isForgotten(seen)) {
        throw new BerbixGoneError('The tokens of this transaction were removed from the store.');
      }
      tokens ??= await this.#ask(query.owner);
      await this.#add(query, record, key, seen, tokens);
    }
  }

  /**
   * Looks whether the application's own database has another refresh token than the dead one in the
   * store, and puts it in its place. Resolves to whether it has.
   */
  async reload({ owner }: TokenQuery, { value }: SeenTokens): Promise<boolean> {
    const tokens = await this.#load(owner);
    if (tokens === undefined || tokens.refreshToken === value.refreshToken) return false;
    await this.remember(withOwner(tokens, owner), uidOf(owner));
    return true;
  }

  /** Whether the store has tokens under the name, or had them until they were forgotten. */
  async knows(name: string): Promise<boolean> {
    return (await this.vault.load(name)).version > 0;
  }

  /**
   * Puts tokens into the store: a new transaction becomes the current one of its customer. Resolves to the
   * names that lead to them.
   */
  async remember(tokens: BerbixTokens, customerUid: string | undefined): Promise<string[]> {
    const first =
      customerUid === undefined
        ? nameOf.transaction(tokens.transactionId as string)
        : await this.#makeCurrent(tokens, customerUid);
    for (;;) {
      const { key, seen } = await this.#resolve(first);
      const value = hasTokens(seen) ? seen.value : undefined;
      const next = {
        ...value,
        ...recordOf(tokens, await this.#times(key, seen, tokens)),
        customerUid: customerUid ?? value?.customerUid,
        untold: undefined,
      };
      const isKnown =
        value?.refreshToken === next.refreshToken &&
        value?.customerUid === next.customerUid &&
        (value?.expiresAt ?? 0) >= (next.expiresAt ?? 0);
      if (isKnown) return namesOf(key, next);
      if (await this.vault.commit(key, seen.version, next)) return namesOf(key, next);
    }
  }

  /** Removes the tokens, all of the customer's where he is named; resolves to the names they had. */
  async forget(name: string): Promise<string[]> {
    const names = new Set([name]);
    for (let forgotten: number | undefined; ;) {
      const { version, value } = await this.vault.load<TokenRecord | Reference>(name);
      // Nothing was remembered meanwhile that would be lost sight of.
      if (version === forgotten) break;
      forgotten = version;
      await this.#forgetAll(name, value, names);
    }
    // The record asked for comes last: as long as it is there, this can be repeated.
    await this.vault.forget(name);
    return [...names];
  }

  async #forgetAll(
    name: string,
    value: TokenRecord | Reference | undefined,
    names: Set<string>,
  ): Promise<void> {
    const keys = isReference(value) ? [value.see, ...(value.earlier ?? [])] : [];
    const records = await Promise.all(keys.map((key) => this.vault.load<TokenRecord>(key)));
    for (const record of [value, ...records.map((found) => found.value)]) {
      if (record === undefined || isReference(record)) continue;
      for (const other of namesOf(name, record)) names.add(other);
    }
    for (const key of keys) names.add(key);
    for (const other of names) {
      if (other !== name && !other.startsWith('customer/')) await this.vault.forget(other);
    }
  }

  /** Lets the tokens be found under another name too; nothing is lost where that fails. */
  async refer(name: string, key: string): Promise<void> {
    if (name === key) return;
    await this.vault.commit(name, 0, { see: key } satisfies Reference).catch(() => false);
  }

  /** The record of that name and the one that it refers to, which is itself as a rule. */
  async #resolve(name: string): Promise<{ record: Found; key: string; seen: Found }> {
    const record: Found = await this.vault.load(name);
    if (!isReference(record.value)) return { record, key: name, seen: record };
    const key = record.value.see;
    return { record, key, seen: await this.vault.load(key) };
  }

  async #ask(owner: TokenOwner | undefined): Promise<BerbixTokens> {
    const tokens = await this.#load(owner);
    if (tokens !== undefined) return tokens;
    throw new BerbixNotFoundError(
      'No tokens are stored for this customer or transaction. Begin a verification, or hand its ' +
        'tokens over with remember().',
    );
  }

  async #load(owner: TokenOwner | undefined): Promise<BerbixTokens | undefined> {
    if (owner === undefined || this.loadTokens === undefined) return undefined;
    const loaded = await inTime('loadTokens', this.timeoutMs, () => this.loadTokens?.(owner));
    return loaded === undefined || loaded === null ? undefined : BerbixTokens.from(loaded);
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
      const see = keyFor(tokens);
      await this.vault.commit(name, record.version, { see } satisfies Reference);
      return;
    }
    await this.vault.commit(key, seen.version, { ...recordOf(tokens, undefined), customerUid });
  }

  /** The key of the tokens' record, to which the customer's refers from now on. */
  async #makeCurrent(tokens: BerbixTokens, customerUid: string): Promise<string> {
    const name = nameOf.customer(customerUid);
    for (;;) {
      const record = await this.vault.load<Reference>(name);
      const { see, earlier = [] } = record.value ?? {};
      if (see !== undefined && (await this.#isSame(see, tokens))) return see;
      const key = keyFor(tokens);
      const others = [...earlier, see].filter((other) => other !== undefined && other !== key);
      const reference: Reference = { see: key, earlier: others as string[] };
      if (await this.vault.commit(name, record.version, reference)) return key;
    }
  }

  async #isSame(key: string, tokens: BerbixTokens): Promise<boolean> {
    if (tokens.transactionId !== undefined && key === nameOf.transaction(tokens.transactionId))
      return true;
    const { value } = await this.vault.load<TokenRecord>(key);
    return (
      value !== undefined &&
      (value.refreshToken === tokens.refreshToken ||
        (tokens.transactionId !== undefined && value.transactionId === tokens.transactionId))
    );
  }

  /** The end of the tokens on the store's clock; a lease reads it where there is no record yet. */
  async #times(
    key: string,
    seen: Found,
    tokens: BerbixTokens,
  ): Promise<{ expiresAt: number; lifetimeMs: number } | undefined> {
    if (tokens.needsRefresh()) return undefined;
    const leftMs = (tokens.expiresAt as Date).getTime() - Date.now();
    const clock =
      seen.moment.store > 0 ? seen : await this.vault.lease(key, seen, CLOCK_LEASE_MS, seen.note);
    if (clock === undefined) return undefined;
    const { lifetimeMs = leftMs } = tokens;
    // The clock of this machine may have been set back since the tokens came.
    return { expiresAt: storeTime(clock) + Math.min(leftMs, lifetimeMs), lifetimeMs };
  }
}

function uidOf(owner: TokenOwner | undefined): string | undefined {
  return owner && 'customerUid' in owner ? owner.customerUid : undefined;
}

/** A refresh token alone, with the transaction that it was asked for. */
function withOwner(tokens: BerbixTokens, owner: TokenOwner | undefined): BerbixTokens {
  if (tokens.transactionId !== undefined || owner === undefined || 'customerUid' in owner)
    return tokens;
  return new BerbixTokens({
    refreshToken: tokens.refreshToken,
    transactionId: owner.transactionId,
  });
}

/** The key of the tokens' record; one of their own where their transaction is not known yet. */
export function keyFor({ transactionId }: BerbixTokens): string {
  return transactionId === undefined
    ? `session/${randomUUID()}`
    : nameOf.transaction(transactionId);
}

/** Under which the tokens of a record are found. */
function namesOf(key: string, { transactionId, customerUid }: TokenRecord): string[] {
  return [
    key,
    ...(transactionId === undefined ? [] : [nameOf.transaction(transactionId)]),
    ...(customerUid === undefined ? [] : [nameOf.customer(customerUid)]),
  ];
}

function isReference(value: object | undefined): value is Reference {
  return value !== undefined && 'see' in value;
}

function hasTokens(record: Found): record is VaultRecord<TokenRecord> & { value: TokenRecord } {
  return record.value !== undefined && !isReference(record.value);
}

/** Records that were leased and never committed have no value either. */
function isForgotten({ version, value }: Found): boolean {
  return version > 0 && value === undefined;
}
