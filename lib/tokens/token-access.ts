import { shutDownError, type Caller } from '../concurrency/index.js';
import { recordName, type TokenQuery } from '../records/index.js';
import { noClientTokenError, type StoredTokens, type TokenRequirement } from '../renewal/index.js';
import type { CheckedStore } from '../token-store/index.js';
import { BerbixTokens, isTransactionRef, type BerbixTokenRef } from '../values/index.js';
import type { TokenExchange } from './token-exchange.js';

/** The ways to tokens. */
interface Ways {
  readonly store: Pick<CheckedStore, 'shared'>;
  readonly stored: StoredTokens;
  /** Tokens that callers pass and the store does not have; in the memory of this process. */
  readonly given: StoredTokens;
  readonly exchange: TokenExchange;
  /** Whether the application is notified of a new refresh token. */
  readonly notifies: boolean;
  readonly totalTimeoutMs: number;
}

/** Finds the way to the tokens of a call: what the caller passes, the store, or an exchange alone. */
export class TokenAccess {
  constructor(private readonly ways: Ways) {}

  /** The tokens that need no wait; undefined if there are none. */
  cached(ref: BerbixTokenRef): BerbixTokens | undefined {
    const { stored, given } = this.ways;
    if (isTransactionRef(ref)) return stored.cache.cachedOf(ref);
    const passed = BerbixTokens.from(ref);
    if (!passed.needsRefresh()) return passed;
    // Whether the store has the transaction is known only after a read, so only its cache is used.
    return passed.transactionId === undefined
      ? given.cache.cached(recordName.refreshToken(passed.refreshToken))
      : stored.cache.cached(recordName.transaction(passed.transactionId));
  }

  /** Tokens that satisfy the requirement, if the API gives such. */
  async fresh(query: TokenQuery, need: TokenRequirement, caller: Caller): Promise<BerbixTokens> {
    const tokens = await this.#fresh(query, need, caller);
    if (!need.needsClientToken || tokens.clientToken !== undefined) return tokens;
    const isReplaced = query.given && query.given.refreshToken !== tokens.refreshToken;
    throw noClientTokenError().withTokens(isReplaced ? tokens : undefined);
  }

  /** The tokens of an exchange that starts after the call. */
  async refresh(passed: BerbixTokens, caller: Caller): Promise<BerbixTokens> {
    const { stored } = this.ways;
    const { transactionId } = passed;
    if (transactionId === undefined) return this.#refreshGiven(passed, caller);
    const name = recordName.transaction(transactionId);
    return (await caller.inTime(() => stored.knows(name)))
      ? stored.cache.get({ name }, { forceNew: true }, caller)
      : this.#refreshGiven(passed, caller);
  }

  #refreshGiven(passed: BerbixTokens, caller: Caller): Promise<BerbixTokens> {
    const { exchange, given, notifies, totalTimeoutMs } = this.ways;
    // Do not start an exchange for a caller who has left.
    if (caller.hasLeft) return Promise.resolve(passed);
    // I4: nor during a shutdown, which might cut off a new refresh token.
    if (given.isClosing) return Promise.reject(shutDownError());
    if (!exchange.replaces && !notifies) {
      // I12: a read of the store has taken some of the time, or the exchange may be another's.
      return passed.transactionId === undefined && caller.timeoutMs === undefined
        ? exchange.run(passed, 'forced', caller)
        : exchange.runInTime(passed, caller, totalTimeoutMs);
    }
    // As for stored tokens: a new refresh token must not be lost when all callers leave.
    const name = recordName.refreshToken(passed.refreshToken);
    return given.cache.get({ name, given: passed }, { forceNew: true }, caller);
  }

  async #fresh(query: TokenQuery, need: TokenRequirement, caller: Caller): Promise<BerbixTokens> {
    const { store, stored, given } = this.ways;
    const { name, given: passed } = query;
    if (passed === undefined) return stored.cache.get(query, need, caller);
    if (isEnough(passed, need)) return passed;
    const isStored =
      passed.transactionId !== undefined &&
      (store.shared || (await caller.inTime(() => stored.knows(name))));
    if (isStored) return stored.cache.get(query, need, caller);
    const ofToken = { name: recordName.refreshToken(passed.refreshToken), given: passed };
    return given.cache.get(ofToken, need, caller);
  }
}

/** Whether tokens that a caller passes need no exchange. */
function isEnough(passed: BerbixTokens, need: TokenRequirement): boolean {
  if (need.needsClientToken && passed.clientToken === undefined) return false;
  return passed.accessToken !== need.refused && !passed.needsRefresh(need.leewayMs);
}
