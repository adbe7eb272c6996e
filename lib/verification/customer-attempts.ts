import { Logger } from '@nestjs/common';
import { BerbixTimeoutError, isBerbixError } from '../errors/index.js';
import {
  isOverlong,
  type SeenRecord,
  type StoreMoment,
  type SealedRecords,
} from '../token-store/index.js';
import {
  keyFor,
  recordName,
  recordOf,
  referencesOf,
  tokensAt,
  type BerbixTokens,
  type FreshnessSettings,
  type Reference,
  type TokenRecord,
} from '../tokens/index.js';

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
}

/** The lease of a customer's record. */
interface CustomerLease extends SeenRecord {
  readonly name: string;
  readonly customerUid: string;
  readonly before: Reference | undefined;
  readonly moment: StoreMoment;
}

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [20, 250];

/**
 * The stored transactions of customers. The lease of a customer's record lets one replica at a time
 * begin a transaction or forget the customer.
 */
export class CustomerAttempts {
  readonly #logger = new Logger('BerbixVerificationService');
  #isClosing = false;

  /**
   * @param limits `totalTimeoutMs`: milliseconds for a call of the API, and for the wait for
   * another replica; `leaseMs`: milliseconds for the lease of a customer
   * @param end deletes a transaction at Berbix, if it is there, by its tokens or by their key in
   * the store
   */
  constructor(
    private readonly sealed: SealedRecords,
    private readonly limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'leaseMs'>,
    private readonly end: (transaction: BerbixTokens | { key: string }) => Promise<void>,
  ) {}

  /** From now on nothing waits for another replica. */
  close(): void {
    this.#isClosing = true;
  }

  async look(customerUid: string): Promise<KnownCustomer> {
    const { version, value } = await this.sealed.load<Reference>(recordName.customer(customerUid));
    if (value === undefined) return { version, current: undefined };
    return { version, current: await tokensAt(this.sealed, value.see) };
  }

  /** The transactions of the customer, the current one last, without forgotten ones. */
  async all(customerUid: string): Promise<TokenRecord[]> {
    const { value } = await this.sealed.load<Reference>(recordName.customer(customerUid));
    const found = await Promise.all(referencesOf(value).map((key) => tokensAt(this.sealed, key)));
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
  async begin(
    customerUid: string,
    version: number,
    create: () => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    const turn = await this.#acquire(customerUid, version);
    if (turn === undefined) return undefined;
    try {
      const attempt = await create();
      return (await this.#save(turn, attempt)) ? attempt : undefined;
    } catch (error) {
      await this.#release(turn);
      throw error;
    }
  }

  /**
   * Deletes the customer's transactions at Berbix, then removes their tokens from the store. Tokens
   * that are remembered meanwhile are deleted with the rest.
   *
   * @param remove removes the tokens from the store; resolves to false if any were remembered since
   * @throws (as a rejection) the error of the deletion; nothing is removed then
   */
  async forget(customerUid: string, remove: (seen: SeenRecord) => Promise<boolean>): Promise<void> {
    for (let isDone = false; !isDone;) {
      const { version, fence } = await this.sealed.load(recordName.customer(customerUid));
      // Do not take a lease: it would leave a record of an unknown customer.
      if (version === 0 && fence === 0) return;
      const turn = await this.#acquire(customerUid, version);
      if (turn === undefined) continue;
      try {
        await this.#endAll(referencesOf(turn.before));
        isDone = await remove({ version: turn.version, fence: turn.fence });
      } finally {
        await this.#release(turn);
      }
    }
  }

  /**
   * Deletes all transactions that can be deleted, then throws the first error. It works by their
   * keys: the exchange before a deletion may replace the refresh token in the store.
   */
  async #endAll(keys: string[]): Promise<void> {
    const failures: unknown[] = [];
    for (const key of keys) {
      if ((await tokensAt(this.sealed, key)) === undefined) continue;
      await this.end({ key }).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Waits for the customer's lease; undefined if the version of the record has changed. */
  async #acquire(customerUid: string, version: number): Promise<CustomerLease | undefined> {
    const name = recordName.customer(customerUid);
    const giveUpAt = performance.now() + this.limits.totalTimeoutMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const seen = await this.sealed.load<Reference>(name);
      if (seen.version !== version) return undefined;
      const isLeft = isOverlong(seen.leasedForMs, this.limits.leaseMs);
      if (isLeft) await this.sealed.release(name, seen, seen.attempt);
      if (isLeft || seen.leasedForMs === 0) {
        const lease = await this.sealed.lease(name, seen, this.limits.leaseMs, {});
        if (lease !== undefined) {
          return { name, customerUid, version, before: seen.value, ...lease };
        }
      }
      if (this.#isClosing || performance.now() >= giveUpAt) {
        const when = this.#isClosing ? 'before the application shut down' : 'in time';
        throw new BerbixTimeoutError(
          `Another call is beginning or forgetting the verification of this customer, and did not finish ${when}.`,
          { retryable: true },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Ignores a failure: the lease expires by itself, and an earlier error matters more. */
  async #release({ name, version, fence }: CustomerLease): Promise<void> {
    await this.sealed.release(name, { version, fence }, {}).catch(() => false);
  }

  /**
   * Saves the tokens first, then the reference to them. Retries while the lease lasts if the store
   * fails. Resolves to false if the customer's record has changed.
   */
  async #save(turn: CustomerLease, { tokens, templateKey, hostedUrl }: Attempt): Promise<boolean> {
    const { name, customerUid, version, before, moment } = turn;
    const key = keyFor(tokens);
    const { lifetimeMs = 0 } = tokens;
    const times = { expiresAt: moment.store + lifetimeMs, lifetimeMs };
    const record = { ...recordOf(tokens, times), customerUid, templateKey, hostedUrl };
    const earlier = before && [...(before.earlier ?? []), before.see];
    const isLeased = (): boolean => performance.now() < moment.local + this.limits.leaseMs;
    try {
      await this.sealed.commit(key, 0, record, isLeased);
      if (await this.sealed.commit(name, version, { see: key, earlier }, isLeased)) return true;
    } catch (error) {
      throw isBerbixError(error) ? error.withTokens(tokens) : error;
    }
    await this.#discard(key, tokens);
    return false;
  }

  /** Deletes a new transaction whose customer got another one meanwhile, or was forgotten. */
  async #discard(key: string, tokens: BerbixTokens): Promise<void> {
    await this.end(tokens).catch((error: unknown) => {
      const reason = isBerbixError(error) ? error.message : String((error as Error)?.name);
      this.#logger.warn(
        `Transaction ${tokens.transactionId} is of no use, since its customer was given another or forgotten while it was created; it could not be deleted at Berbix. ${reason}`,
      );
    });
    // Only the version that was saved here: a newer one belongs to somebody else.
    await this.sealed.remove(key, (seen) => seen.version === 1);
  }
}
