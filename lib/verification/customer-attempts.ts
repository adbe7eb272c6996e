import { Logger } from '@nestjs/common';
import { InFlight, Pauses, drained, shutDownError } from '../concurrency/index.js';
import { BerbixInvalidRefreshTokenError, isBerbixError, logLine } from '../errors/index.js';
import type { EventBus } from '../events/index.js';
import {
  CustomerIndex,
  hasTokens,
  keyFor,
  recordAt,
  recordRemembered,
  refNamed,
  resolveRecord,
  type CustomerLease,
  type RecordLimits,
  type TokenRecord,
} from '../records/index.js';
import type { OpenedRecord, RecordRevision, SealedRecords } from '../token-store/index.js';
import type { BerbixTokens, BerbixTransactionRef } from '../values/index.js';

/** A transaction that was created for a customer. */
export interface Attempt {
  readonly tokens: BerbixTokens;
  readonly templateKey: string;
  readonly hostedUrl?: string | undefined;
}

/** What the store has about a customer. */
export interface KnownCustomer {
  /** Grows with each attempt. */
  readonly version: number;
  /** The current transaction, unless it was forgotten. */
  readonly current: TokenRecord | undefined;
  /** Leads to its record. Its id may still lead to another one, with a spent refresh token. */
  readonly ref: BerbixTransactionRef;
}

/**
 * How often tokens that another call is saving are looked for, and the milliseconds between two
 * looks: the first pause, and the longest. That is less than a second.
 */
const [LOOKS, FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [8, 20, 250];

/**
 * The stored transactions of customers. The lease of a customer's record lets one replica at a time
 * begin a transaction or erase the customer.
 */
export class CustomerAttempts {
  readonly #logger = new Logger('BerbixVerificationService');
  readonly #closing = new AbortController();
  readonly #begun = new InFlight();
  readonly #index: CustomerIndex;

  /**
   * @param limits `totalTimeoutMs`: milliseconds for a call of the API, and for the wait for
   * another replica; `leaseMs`: milliseconds for the lease of a customer
   * @param end deletes a transaction at Berbix, if it is there, by its tokens or by their key in
   * the store
   */
  constructor(
    private readonly sealed: SealedRecords,
    private readonly limits: RecordLimits,
    private readonly events: EventBus,
    private readonly end: (transaction: BerbixTokens | { key: string }) => Promise<void>,
  ) {
    this.#index = new CustomerIndex(sealed, limits, this.#closing.signal);
  }

  /**
   * Waits a while for what has begun. From then on, no transaction is created, and no call waits for
   * another replica, or for a store that fails: callers get their tokens in the error.
   */
  async close(): Promise<void> {
    await drained(this.#begun.none());
    this.#closing.abort();
    await drained(this.#begun.none());
  }

  async find(customerUid: string): Promise<KnownCustomer> {
    return (await this.#look(customerUid)).known;
  }

  /** The same, after a wait for tokens that another call may be saving. */
  async findSaved(customerUid: string): Promise<KnownCustomer> {
    const pauses = new Pauses(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (let looks = 1; ; looks++) {
      const { known, isSaved } = await this.#look(customerUid);
      // Unless its process has died.
      if (isSaved || looks === LOOKS) return known;
      await pauses.next();
    }
  }

  /** The transactions of the customer, the current one last, without forgotten ones. */
  async all(customerUid: string): Promise<TokenRecord[]> {
    const { keys = [] } = (await this.#index.find(customerUid)) ?? {};
    const found = await Promise.all(keys.map((key) => recordAt(this.sealed, key)));
    return found.flatMap((record) => record ?? []);
  }

  /**
   * Begins an attempt; undefined if another one began since the customer's record was read.
   *
   * @param version of the customer's record as it was read
   * @param create creates the transaction; called under the lease of the customer
   * @throws (as a rejection) the error of the creation; {BerbixStoreError} with `tokens` if the new
   * transaction could not be saved
   */
  begin(
    customerUid: string,
    version: number,
    create: () => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    return this.#begun.track(this.#begin(customerUid, version, create));
  }

  async #begin(
    customerUid: string,
    version: number,
    create: () => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    const lease = await this.#index.acquire(customerUid, version);
    if (lease === undefined) return undefined;
    try {
      // Nobody would wait until its tokens are saved.
      if (this.#closing.signal.aborted) throw shutDownError();
      const attempt = await create();
      return (await this.#save(lease, attempt)) ? attempt : undefined;
    } catch (error) {
      await this.#index.release(lease);
      throw error;
    }
  }

  /**
   * Deletes the customer's transactions at Berbix, then removes their tokens from the store. Tokens
   * that are remembered meanwhile are deleted with the rest, or kept as if they were remembered
   * afterwards.
   *
   * @param remove removes the tokens from the store; resolves to false if any were remembered since
   * @throws (as a rejection) the error of the deletion; nothing is removed then
   */
  async erase(
    customerUid: string,
    remove: (expected: RecordRevision) => Promise<boolean>,
  ): Promise<void> {
    for (let isDone = false; !isDone;) {
      const customer = await this.#index.find(customerUid);
      // Do not take a lease: it would leave a record of an unknown customer.
      if (customer === undefined) return;
      const lease = await this.#index.acquire(customerUid, customer.version);
      if (lease === undefined) continue;
      try {
        await this.#endAll(lease.keys);
        isDone = await remove(lease);
      } finally {
        await this.#index.release(lease);
      }
    }
  }

  /**
   * Deletes all transactions that can be deleted, then throws the first error. All at once: one after
   * the other, they could take longer than the lease of the customer.
   */
  async #endAll(keys: string[]): Promise<void> {
    const outcomes = await Promise.allSettled(keys.map((key) => this.#endOne(key)));
    const failure = outcomes.find(({ status }) => status === 'rejected');
    if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
  }

  /**
   * Deletes a transaction by its key: the exchange before that may replace the refresh token in the
   * store. If begin() has not saved its tokens yet, it cannot any more, and deletes it itself.
   */
  async #endOne(key: string): Promise<void> {
    const { seen } = await resolveRecord(this.sealed, key);
    await this.sealed.preclude(seen.key);
    if ((await recordAt(this.sealed, key)) !== undefined) return this.end({ key });
    if (seen.version > 0) return;
    this.#logger.warn(
      `The store has no tokens of ${seen.key.replace('/', ' ')}, so erase() did not delete it at Berbix: begin() ended before it saved them, or they were forgotten long ago.`,
    );
  }

  /** The last transaction with a record counts: an attempt without one may never have begun. */
  async #look(customerUid: string): Promise<{ known: KnownCustomer; isSaved: boolean }> {
    const { version = 0, candidates = [] } = (await this.#index.find(customerUid)) ?? {};
    for (const key of candidates) {
      const { seen } = await resolveRecord(this.sealed, key);
      if (seen.version === 0) continue;
      const current = hasTokens(seen) ? seen.value : undefined;
      const ref = (current && refNamed(seen.key)) ?? { customerUid };
      return { known: { version, current, ref }, isSaved: key === candidates[0] };
    }
    const known = { version, current: undefined, ref: { customerUid } };
    return { known, isSaved: candidates.length === 0 };
  }

  /**
   * Saves the reference first, then the tokens: whenever the process dies, the customer's record
   * leads to them (I8). The first step ends the lease, so the third one makes sure that no other
   * call has begun or erased anything since, and no earlier transaction counts any more. Retries for
   * the time of a call if the store fails. Resolves to false if the customer's record has changed.
   */
  async #save(lease: CustomerLease, { tokens, ...details }: Attempt): Promise<boolean> {
    const { customerUid, moment } = lease;
    const key = keyFor(tokens);
    const { lifetimeMs = 0 } = tokens;
    const times = { expiresAt: moment.store + lifetimeMs, lifetimeMs };
    const record = (before?: TokenRecord): TokenRecord => ({
      ...recordRemembered(before, tokens, times, customerUid),
      ...details,
    });
    const merge = (current: OpenedRecord<TokenRecord>): TokenRecord | undefined => {
      // I8: the customer is being erased.
      if (current.version > 0 && current.value === undefined) return undefined;
      // Another call may already have been given these tokens.
      return record(hasTokens(current) ? current.value : undefined);
    };
    const until = moment.local + this.limits.totalTimeoutMs;
    const keepTrying = (): boolean => !this.#closing.signal.aborted && performance.now() < until;
    let isSaved = false;
    try {
      if (await this.#index.append(lease, key, keepTrying)) {
        isSaved = await this.sealed.commit(key, 0, record(), { keepTrying, merge });
        if (isSaved && (await this.#index.confirm(lease, key, keepTrying))) {
          this.#reportBegun(tokens, customerUid);
          return true;
        }
      }
    } catch (error) {
      // The customer has the transaction if only the last step failed.
      if (isSaved) this.#reportBegun(tokens, customerUid);
      else this.#reportUnsaved(tokens, customerUid, error);
      throw isBerbixError(error) ? error.withTokens(tokens) : error;
    }
    await this.#discard(tokens);
    // Only the version that was saved here: a newer one belongs to another call.
    if (isSaved) await this.sealed.remove(key, (found) => found.version === 1);
    return false;
  }

  #reportBegun({ transactionId }: BerbixTokens, customerUid: string): void {
    this.events.emit('verification.begun', () => ({ customerUid, transactionId }));
  }

  /** The caller may have left, so that nobody gets the tokens of the error. */
  #reportUnsaved({ transactionId }: BerbixTokens, customerUid: string, error: unknown): void {
    this.#logger.error(
      logLine(
        `It is not certain that the tokens of the new transaction ${transactionId} were saved. If not, they are lost, unless the caller keeps them from \`error.tokens\`.`,
        error,
      ),
    );
    this.events.emit('token.unsaved', () => ({ customerUid, transactionId }));
  }

  /** Deletes a new transaction if its customer meanwhile got another one, or was erased. */
  async #discard(tokens: BerbixTokens): Promise<void> {
    await this.end(tokens).catch((error: unknown) => {
      this.#logger.warn(
        logLine(
          `Transaction ${tokens.transactionId} is not used: while it was created, its customer got another one or was erased. It could not be deleted at Berbix.`,
          error,
        ),
      );
    });
  }
}

/**
 * The customer may have been accepted in the other mode, so no new transaction begins automatically.
 */
export function unknownTransactionError(): BerbixInvalidRefreshTokenError {
  return new BerbixInvalidRefreshTokenError(
    'The verification of this customer is unknown to this account. Check that apiSecret belongs to the account and mode in which it was begun. If it does, and the transaction is lost, call reverify(), or pass `again: true`, to begin another.',
  );
}
