import { BerbixTimeoutError } from '../errors/index.js';
import type { TokenVault } from '../token-store/index.js';
import {
  keyFor,
  nameOf,
  recordOf,
  type BerbixTokens,
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
  /** The transactions, the current one last, without those that were forgotten. */
  readonly attempts: readonly TokenRecord[];
  /** The current one, unless it was forgotten. */
  readonly current: TokenRecord | undefined;
}

/** Beyond the creation itself, a process may be held up for so many milliseconds before another begins too. */
const LEASE_RESERVE_MS = 15_000;

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [20, 250];

/** The transactions of customers, in the store. One replica at a time begins one for a customer. */
export class CustomerAttempts {
  /** @param totalTimeoutMs milliseconds for a call of the API, and for the wait for another replica */
  constructor(
    private readonly vault: TokenVault,
    private readonly totalTimeoutMs: number,
  ) {}

  async look(customerUid: string): Promise<KnownCustomer> {
    const { version, value } = await this.vault.load<Reference>(nameOf.customer(customerUid));
    const keys = value === undefined ? [] : [...(value.earlier ?? []), value.see];
    const records = await Promise.all(keys.map((key) => this.vault.load<TokenRecord>(key)));
    const attempts = records.flatMap((record) => record.value ?? []);
    return { version, attempts, current: records.at(-1)?.value };
  }

  /**
   * Begins an attempt, unless another one was begun since the customer was looked at; undefined then.
   *
   * @param version as it was seen
   * @param create makes the transaction; called under the lease of the customer
   */
  async begin(
    customerUid: string,
    version: number,
    create: () => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    const name = nameOf.customer(customerUid);
    const giveUpAt = performance.now() + this.totalTimeoutMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const seen = await this.vault.load<Reference>(name);
      if (seen.version !== version) return undefined;
      const lease =
        seen.leasedForMs > 0
          ? undefined
          : await this.vault.lease(name, seen, this.totalTimeoutMs + LEASE_RESERVE_MS, {});
      if (lease !== undefined) {
        const held = { version, fence: lease.fence };
        const attempt = await create().catch(async (error: unknown) => {
          // Its lease would end by itself; what went wrong with the creation says more.
          await this.vault.release(name, held, {}).catch(() => false);
          throw error;
        });
        return (await this.#save(customerUid, version, seen.value, attempt, lease.moment.store))
          ? attempt
          : undefined;
      }
      if (performance.now() >= giveUpAt) {
        throw new BerbixTimeoutError(
          'Another replica is beginning a verification of this customer, and did not finish in time.',
          { retryable: true },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** The tokens first: what refers to them comes when they are there. */
  async #save(
    customerUid: string,
    version: number,
    before: Reference | undefined,
    { tokens, templateKey, hostedUrl }: Attempt,
    storeTime: number,
  ): Promise<boolean> {
    const key = keyFor(tokens);
    const { lifetimeMs = 0 } = tokens;
    const times = { expiresAt: storeTime + lifetimeMs, lifetimeMs };
    const record = { ...recordOf(tokens, times), customerUid, templateKey, hostedUrl };
    await this.vault.commit(key, 0, record);
    const earlier = before && [...(before.earlier ?? []), before.see];
    return this.vault.commit(nameOf.customer(customerUid), version, { see: key, earlier });
  }
}
