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

/** What the store knows of a customer. */
export interface KnownCustomer {
  /** Grows with each attempt. */
  readonly version: number;
  /** The current transaction, unless it was forgotten. */
  readonly current: TokenRecord | undefined;
}

/** The right to change what is known of a customer, for a while. */
interface CustomerLease extends SeenRecord {
  readonly name: string;
  readonly customerUid: string;
  readonly before: Reference | undefined;
  readonly moment: StoreMoment;
}

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [20, 250];

/**
 * The transactions of customers, in the store. One replica at a time begins one for a customer, or
 * forgets them, under the lease of their record.
 */
export class CustomerAttempts {
  readonly #logger = new Logger('BerbixVerificationService');
  #isClosing = false;

  /**
   * @param limits `totalTimeoutMs`: milliseconds for a call of the API, and for the wait for another
   * replica; `leaseMs`: for the lease under which one replica works on a customer
   * @param end deletes a transaction at Berbix, if it is there: the one of these tokens, or of those
   * that the store has under a key
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

  /** The transactions, the current one last, without those that were forgotten. */
  async all(customerUid: string): Promise<TokenRecord[]> {
    const { value } = await this.sealed.load<Reference>(recordName.customer(customerUid));
    const found = await Promise.all(referencesOf(value).map((key) => tokensAt(this.sealed, key)));
    return found.flatMap((record) => record ?? []);
  }

  /**
   * Begins an attempt, unless another one was begun since the customer was looked at; undefined then.
   *
   * @param version as it was seen
   * @param create makes the transaction; called under the lease of the customer
   * @throws (as a rejection) what the creation throws; {BerbixStoreError} with `tokens` when what was
   * created could not be saved
   */
  async begin(
    customerUid: string,
    version: number,
    create: () => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    const turn = await this.#take(customerUid, version);
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
   * Deletes the customer's transactions at Berbix, then removes what the store has of them. What is handed
   * over meanwhile is deleted with the rest.
   *
   * @param remove does the latter, unless something was handed over since; resolves to whether it did
   * @throws (as a rejection) what the deletion throws; nothing is removed then
   */
  async forget(customerUid: string, remove: (seen: SeenRecord) => Promise<boolean>): Promise<void> {
    for (let isDone = false; !isDone;) {
      const { version, fence } = await this.sealed.load(recordName.customer(customerUid));
      // A lease would leave a record of somebody whom nobody knows.
      if (version === 0 && fence === 0) return;
      const turn = await this.#take(customerUid, version);
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
   * All that can be; then what has gone wrong with one is thrown. By their keys: an exchange that is
   * made first leaves a refresh token that replaces the other in the store.
   */
  async #endAll(keys: string[]): Promise<void> {
    const failures: unknown[] = [];
    for (const key of keys) {
      if ((await tokensAt(this.sealed, key)) === undefined) continue;
      await this.end({ key }).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Waits for the customer's lease; undefined if the record has another version by now. */
  async #take(customerUid: string, version: number): Promise<CustomerLease | undefined> {
    const name = recordName.customer(customerUid);
    const giveUpAt = performance.now() + this.limits.totalTimeoutMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const seen = await this.sealed.load<Reference>(name);
      if (seen.version !== version) return undefined;
      const isLeft = isOverlong(seen.leasedForMs, this.limits.leaseMs);
      if (isLeft) await this.sealed.release(name, seen, seen.note);
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

  /** The lease would end by itself; what has gone wrong before says more than a failure here. */
  async #release({ name, version, fence }: CustomerLease): Promise<void> {
    await this.sealed.release(name, { version, fence }, {}).catch(() => false);
  }

  /**
   * The tokens first: what refers to them comes when they are there. A store that fails is asked again
   * as long as the lease lasts. Resolves to false where somebody else was faster.
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

  /** What was created for a customer who has another transaction by now, or was forgotten. */
  async #discard(key: string, tokens: BerbixTokens): Promise<void> {
    await this.end(tokens).catch((error: unknown) => {
      const reason = isBerbixError(error) ? error.message : String((error as Error)?.name);
      this.#logger.warn(
        `Transaction ${tokens.transactionId} is of no use, since its customer was given another or forgotten while it was created; it could not be deleted at Berbix. ${reason}`,
      );
    });
    // As it was saved here: what somebody else has made of it since is theirs.
    await this.sealed.remove(key, (seen) => seen.version === 1);
  }
}
