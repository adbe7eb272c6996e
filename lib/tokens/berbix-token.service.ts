import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Observable, defer } from 'rxjs';
import { observe, type Caller } from '../concurrency/index.js';
import { BerbixInputError, asInputError, readInput } from '../errors/index.js';
import { BerbixHttp } from '../http/index.js';
import {
  CheckedStore,
  InMemoryTokenStore,
  SealedRecords,
  type SeenRecord,
} from '../token-store/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import {
  TokenKeeper,
  checkHooks,
  freshnessSettings,
  hasPendingRotation,
  isLeeway,
  recordName,
  type FreshnessSettings,
  type TokenRequirement,
  type TransactionRef,
  type TokenQuery,
} from './freshness/index.js';
import { checkStore, probeStore, reportStore } from './store-report.js';
import { TokenExchange } from './token-exchange.js';
import { requireUid } from './ids.js';
import { isTransactionRef, queryOf, queryOfOwner, type TokenRef } from './token-source.js';
import {
  BERBIX_TOKEN_OPTIONS,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
} from './token.options.js';

/** What is asked of tokens beyond the usual. */
export interface FreshTokensOptions {
  /**
   * Milliseconds that they must be good for; by default a minute, or a tenth of their life where that
   * is less. What is more than three quarters of their life counts as so much.
   */
  leewayMs?: number | undefined;
  /** An access token that the API has refused with 401: others are wanted. */
  refused?: string | undefined;
}

const NOTHING_MORE: FreshTokensOptions = {};

const OPTIONS_EXPECTED = 'The options of fresh() are { leewayMs, refused }.';

const SOURCE_EXPECTED =
  'Pass { customerUid }, { transactionId }, a BerbixTokens or a refresh token.';

/** Turns refresh tokens into fresh access and client tokens, and keeps them fresh. */
@Injectable()
export class BerbixTokenService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Milliseconds for a call, and for the lease under which a replica works on a record. @internal */
  readonly limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'leaseMs'>;
  readonly #store: CheckedStore;
  readonly #options: BerbixTokenAccountOptions;
  readonly #exchange: TokenExchange;
  /** What is in the store. */
  readonly #stored: TokenKeeper;
  /** What callers bring along and the store does not know; in the memory of this process. */
  readonly #given: TokenKeeper;

  /** @throws {BerbixConfigurationError} that names the wrong option */
  constructor(
    @Inject(BerbixHttp) http: BerbixHttp,
    @Inject(CheckedStore) store: CheckedStore,
    @Inject(SealedRecords) sealed: SealedRecords,
    @Inject(BERBIX_TOKEN_OPTIONS) options: BerbixTokenAccountOptions,
  ) {
    checkHooks(options);
    const { onRotation, loadTokens } = options;
    const settings = freshnessSettings(options.freshness, http.limits);
    checkStore(store, settings.rotation, options);
    this.limits = settings;
    this.#store = store;
    this.#options = options;
    this.#exchange = new TokenExchange(http, settings);
    const exchange = (tokens: BerbixTokens, mayRepeat: boolean): Promise<BerbixTokens> => {
      if (!mayRepeat) this.#exchange.noticeRotation();
      return this.#exchange.run(tokens);
    };
    const given = { account: 'given' };
    // Until the application is told of the new refresh token, it has the one before.
    const kept = new InMemoryTokenStore(settings.cacheSize, hasPendingRotation);
    const memory = openRecords(openStore(kept, given), given);
    this.#stored = new TokenKeeper({
      sealed,
      settings,
      exchange,
      options: { loadTokens, onRotation },
    });
    this.#given = new TokenKeeper({ sealed: memory, settings, exchange, options: { onRotation } });
  }

  /**
   * Exchanges the refresh token, now, when subscribed to; emits the new tokens once and completes.
   * The refresh token in them is the one to keep: the old one, or a new one if the API sent one. Where
   * the store knows the transaction, it has the new tokens before they are emitted.
   *
   * Callers for the same refresh token share the exchange that is under way. Unsubscribing leaves
   * it to the others; when the last one leaves, it is aborted, unless the store knows the transaction,
   * or the API replaces refresh tokens, so that a new one would be lost.
   *
   * @param tokens tokens, or the stored refresh token. Where the store knows their transaction, the
   * refresh token is taken from there; `remember()` puts another one in its place
   * @throws on the Observable:
   * - {BerbixInvalidRefreshTokenError} empty, malformed, or unknown to the account
   * - {BerbixGoneError} the transaction was deleted or purged
   * - {BerbixAuthenticationError} the API secret was not accepted
   * - {BerbixResponseError} the answer is not what the API promises; `tokens` of the error holds a
   *   refresh token that came with it all the same
   * - {BerbixRateLimitError}, {BerbixServerError}, {BerbixTimeoutError}, {BerbixConnectionError},
   *   {BerbixUnavailableError} after the repetitions, where those are safe
   * - {BerbixStoreError} the store failed, or `onRotation`; `tokens` of the error holds a refresh
   *   token that could not be saved
   *
   * @example
   * ```ts
   * this.tokens.refresh(row.refreshToken).pipe(
   *   concatMap(async (tokens) => {
   *     if (tokens.refreshToken !== row.refreshToken) await this.rows.save(row.id, tokens.refreshToken);
   *     return ClientTokenDto.of(tokens);
   *   }),
   * );
   * ```
   */
  refresh(tokens: BerbixTokens | string): Observable<BerbixTokens> {
    return observe(async (caller) => {
      const given = BerbixTokens.from(tokens);
      const askedAt = performance.now();
      if (given.transactionId === undefined) return this.#refreshGiven(given, askedAt, caller);
      const query = { name: recordName.transaction(given.transactionId), askedAt };
      const isStored = await this.#stored.records.knows(query.name);
      if (isStored) return this.#stored.fresh.get(query, { forceNew: true }, caller);
      return this.#refreshGiven(given, askedAt, caller);
    });
  }

  /**
   * Tokens that are good for a while: from memory, from the store, or by one exchange, which the
   * whole fleet makes once. Emits once and completes; at once, if they are in memory.
   *
   * Past three quarters of their life, tokens are still handed out, and renewed meanwhile. Where they
   * cannot be renewed, they are handed out nearly to their end; `needsRefresh()` of such tokens is
   * true. Unsubscribing ends the caller's wait, not the exchange that others may wait for. It never
   * takes longer than `totalTimeoutMs`.
   *
   * @param source whose tokens, where they are stored; or tokens or a refresh token from a table of your own
   * @throws on the Observable, beside what `refresh` throws:
   * - {BerbixInputError} an id, a uid or `leewayMs` that is none
   * - {BerbixNotFoundError} nothing is stored for this customer or transaction
   * - {BerbixGoneError} it was forgotten, or it is gone at Berbix
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(this.tokens.fresh({ customerUid: user.id }));
   * ```
   */
  fresh(source: TokenRef, options: FreshTokensOptions = NOTHING_MORE): Observable<BerbixTokens> {
    return new Observable((subscriber) => {
      const tokens = options === NOTHING_MORE ? this.cached(source) : undefined;
      if (tokens === undefined) {
        return observe(async (caller) =>
          this.#get(queryOf(source), goalOf(options), caller),
        ).subscribe(subscriber);
      }
      // At once, and without a promise.
      subscriber.next(tokens);
      subscriber.complete();
      return undefined;
    });
  }

  /**
   * Hands tokens over to the store, in place of those it has for the same transaction; emits undefined
   * once they are there. With a customer, the transaction becomes his current one, and those before
   * it stay.
   *
   * @throws on the Observable {BerbixInputError} for a refresh token alone without a customer,
   * {BerbixStoreError}, {BerbixTimeoutError} when an exchange of the same refresh token, which it waits
   * for, did not end within `totalTimeoutMs`; try again then
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(this.transactions.create({ customerUid, templateKey }));
   * await firstValueFrom(this.tokens.remember({ customerUid, tokens }));
   * ```
   */
  remember(session: {
    tokens: BerbixTokens | string;
    customerUid?: string | undefined;
  }): Observable<undefined> {
    return defer(async () => {
      const { tokens, customerUid } = readInput(
        'remember() takes { tokens, customerUid }.',
        () => ({
          tokens: BerbixTokens.from(session.tokens),
          customerUid: session.customerUid,
        }),
      );
      if (customerUid === undefined && tokens.transactionId === undefined) {
        throw new BerbixInputError(
          'remember() needs a customerUid, or tokens whose transactionId is known, to find them by.',
        );
      }
      if (customerUid !== undefined) requireUid(customerUid);
      await this.#stored.fresh.replace(() => this.#stored.records.remember(tokens, customerUid));
      return undefined;
    });
  }

  /**
   * Removes the tokens from store and memory; those of all transactions of a customer, if one is named.
   * Emits undefined once they are gone. No replica saves them again, and each stops handing them out
   * within half a minute. It may be repeated. A transaction that the customer is given meanwhile
   * stays. At Berbix nothing is deleted: see `BerbixTransactionService.delete`.
   *
   * @throws on the Observable {BerbixInputError} for anything else, such as tokens or a uid alone, and
   * {BerbixStoreError}
   */
  forget(owner: TransactionRef): Observable<undefined> {
    return defer(async () => {
      const { name } = queryOfOwner(owner);
      await this.#stored.fresh.replace(() => this.#stored.removal.forget(name));
      return undefined;
    });
  }

  /** The same, if the record of their owner is as it was seen; resolves to whether it was. @internal */
  async forgetAsSeen(owner: TransactionRef, seen: SeenRecord): Promise<boolean> {
    const { name } = queryOfOwner(owner);
    let isComplete = false;
    await this.#stored.fresh.replace(async () => {
      const removal = await this.#stored.removal.forgetAsSeen(name, seen);
      ({ isComplete } = removal);
      return removal.names;
    });
    return isComplete;
  }

  /** What `fresh` gives for the record under a key of the store. @internal */
  freshAt(key: string): Promise<BerbixTokens> {
    return this.#stored.fresh.get({ name: key }, {});
  }

  /** The tokens that `fresh` emits at once; undefined where there is something to wait for. @internal */
  cached(source: TokenRef): BerbixTokens | undefined {
    try {
      if (isTransactionRef(source)) return this.#stored.fresh.cachedOf(source);
      const given = BerbixTokens.from(source);
      if (!given.needsRefresh()) return given;
      // Whether tokens that name their transaction are in the store takes a look there.
      return given.transactionId === undefined
        ? this.#given.fresh.cached(recordName.refreshToken(given.refreshToken))
        : this.#stored.fresh.cached(recordName.transaction(given.transactionId));
    } catch (error) {
      throw asInputError(SOURCE_EXPECTED, error);
    }
  }

  /** The store was changed: what this process has in memory does not count. @internal */
  changed(owner: TransactionRef): Promise<void> {
    return this.#stored.fresh.replace(async () => [queryOfOwner(owner).name]);
  }

  /** @throws {BerbixStoreError} (as a rejection, which stops the boot) when the store is not set up */
  async onApplicationBootstrap(): Promise<void> {
    reportStore(this.#store, this.#options);
    await probeStore(this.#store);
  }

  /** Lets exchanges under way come to their end. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.#stored.fresh.close(), this.#given.fresh.close()]);
  }

  async #refreshGiven(given: BerbixTokens, askedAt: number, caller: Caller): Promise<BerbixTokens> {
    // No exchange begins for a caller who has left.
    if (caller.hasLeft) return given;
    if (!this.#exchange.replaces && this.#options.onRotation === undefined) {
      return this.#exchange.run(given, caller);
    }
    // Like what is stored: a new refresh token must not be lost when its callers leave.
    const name = recordName.refreshToken(given.refreshToken);
    return this.#given.fresh.get({ name, given, askedAt }, { forceNew: true }, caller);
  }

  async #get(
    query: TokenQuery,
    { leewayMs, refused }: TokenRequirement,
    caller: Caller,
  ): Promise<BerbixTokens> {
    const { name, given } = query;
    const askedAt = performance.now();
    const need = { leewayMs, refused };
    if (given === undefined) return this.#stored.fresh.get(query, need, caller);
    if (given.accessToken !== refused && !given.needsRefresh(leewayMs)) return given;
    const isStored =
      given.transactionId !== undefined &&
      (this.#store.shared || (await this.#stored.records.knows(name)));
    if (isStored) return this.#stored.fresh.get({ ...query, askedAt }, need, caller);
    const givenQuery = { name: recordName.refreshToken(given.refreshToken), given, askedAt };
    return this.#given.fresh.get(givenQuery, need, caller);
  }
}

/** @throws {BerbixInputError} when the options are not what they should be */
function goalOf(options: FreshTokensOptions): TokenRequirement {
  if (typeof options !== 'object') throw new BerbixInputError(OPTIONS_EXPECTED);
  const { leewayMs, refused } = readInput(OPTIONS_EXPECTED, () => ({
    leewayMs: options.leewayMs,
    refused: options.refused,
  }));
  if (!isLeeway(leewayMs)) {
    throw new BerbixInputError('leewayMs must be a number of milliseconds, 0 or more.');
  }
  if (refused !== undefined && typeof refused !== 'string') {
    throw new BerbixInputError('refused must be the access token that the API refused.');
  }
  return { leewayMs, refused };
}
