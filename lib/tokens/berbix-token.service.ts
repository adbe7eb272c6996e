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
import { isTransactionRef, queryOf, refQuery, type TokenRef } from './token-source.js';
import {
  BERBIX_TOKEN_OPTIONS,
  openStore,
  openRecords,
  type BerbixTokenAccountOptions,
} from './token.options.js';

/** Options of `fresh()`. */
export interface FreshTokensOptions {
  /**
   * Milliseconds for which the tokens must be valid; at most three quarters of their lifetime. By
   * default a minute, or a tenth of their lifetime if that is less.
   */
  leewayMs?: number | undefined;
  /** An access token that the API has refused with 401; another one is returned. */
  refused?: string | undefined;
}

const NOTHING_MORE: FreshTokensOptions = {};

const OPTIONS_EXPECTED = 'The options of fresh() are { leewayMs, refused }.';

const REF_EXPECTED = 'Pass { customerUid }, { transactionId }, a BerbixTokens or a refresh token.';

/** Turns refresh tokens into fresh access and client tokens, and keeps them fresh. */
@Injectable()
export class BerbixTokenService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Milliseconds for a call, and for a lease of a record. @internal */
  readonly limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'leaseMs'>;
  readonly #store: CheckedStore;
  readonly #options: BerbixTokenAccountOptions;
  readonly #exchange: TokenExchange;
  /** Tokens in the store. */
  readonly #stored: TokenKeeper;
  /** Tokens that callers pass and the store does not have; in the memory of this process. */
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
    // Until the application is notified of a new refresh token, it has only the previous one, so
    // the record must not be evicted.
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
   * Exchanges the refresh token as soon as it is subscribed to; emits the new tokens once and
   * completes. Keep the refresh token in them: it is the old one, or a new one if the API sent one.
   * If the store has the transaction, the new tokens are saved before they are emitted.
   *
   * Callers for the same refresh token share one exchange. Unsubscribing leaves it to the others.
   * When the last one leaves, it is aborted, unless a new refresh token could be lost: if the store
   * has the transaction, or the API replaces refresh tokens.
   *
   * @param tokens tokens, or a refresh token from your own table. If the store has their
   * transaction, the stored refresh token is used instead; `remember()` replaces it
   * @throws on the Observable:
   * - {BerbixInvalidRefreshTokenError} empty, malformed, or unknown to the account
   * - {BerbixGoneError} the transaction was deleted or purged
   * - {BerbixAuthenticationError} the API secret was not accepted
   * - {BerbixResponseError} the answer is not what the API promises; if it has a refresh token,
   *   that is in `tokens` of the error
   * - {BerbixRateLimitError}, {BerbixServerError}, {BerbixTimeoutError}, {BerbixConnectionError},
   *   {BerbixUnavailableError} after all retries, if retries are safe
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
   * Tokens that are valid for a while: from memory, from the store, or by one exchange for the
   * whole fleet. Emits once and completes; synchronously, if the tokens are in memory.
   *
   * Tokens are stale after three quarters of their lifetime: they are still handed out, and renewed
   * in the background. If they cannot be renewed, they are handed out until shortly before they
   * expire (stale-if-error); `needsRefresh()` of such tokens is true. Unsubscribing ends the
   * caller's wait, not the exchange that others may wait for. It never takes longer than
   * `totalTimeoutMs`.
   *
   * @param source the transaction or customer of stored tokens; or tokens or a refresh token from
   * your own table
   * @throws on the Observable, beside what `refresh` throws:
   * - {BerbixInputError} an invalid id, uid or `leewayMs`
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
          this.#get(queryOf(source), requirementFrom(options), caller),
        ).subscribe(subscriber);
      }
      // Synchronously: a promise would delay every cache hit.
      subscriber.next(tokens);
      subscriber.complete();
      return undefined;
    });
  }

  /**
   * Saves tokens, in place of those that the store has for the same transaction; emits undefined
   * when they are saved. With a customer, the transaction becomes their current one; earlier ones
   * stay.
   *
   * @throws on the Observable {BerbixInputError} for a refresh token alone without a customer,
   * {BerbixStoreError}, {BerbixTimeoutError} if an exchange of the same refresh token, which it
   * waits for, did not end within `totalTimeoutMs`; try again then
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
   * Removes the tokens of a transaction, or of all transactions of a customer, from store and
   * memory. Emits undefined when they are gone. No replica saves them again, and each stops handing
   * them out within half a minute. It may be repeated. A transaction that the customer gets
   * meanwhile stays. Nothing is deleted at Berbix: see `BerbixTransactionService.delete`.
   *
   * @throws on the Observable {BerbixInputError} for anything else, such as tokens or a bare uid,
   * and {BerbixStoreError}
   */
  forget(owner: TransactionRef): Observable<undefined> {
    return defer(async () => {
      const { name } = refQuery(owner);
      await this.#stored.fresh.replace(() => this.#stored.removal.forget(name));
      return undefined;
    });
  }

  /**
   * `forget`, if the record has not changed since it was seen; resolves to false if it has.
   * @internal
   */
  async forgetAsSeen(owner: TransactionRef, seen: SeenRecord): Promise<boolean> {
    const { name } = refQuery(owner);
    let isComplete = false;
    await this.#stored.fresh.replace(async () => {
      const removal = await this.#stored.removal.forgetAsSeen(name, seen);
      ({ isComplete } = removal);
      return removal.names;
    });
    return isComplete;
  }

  /** `fresh` for the record under a key of the store. @internal */
  freshAt(key: string): Promise<BerbixTokens> {
    return this.#stored.fresh.get({ name: key }, {});
  }

  /**
   * The tokens that `fresh` emits synchronously; undefined if it has to wait for anything.
   * @internal
   */
  cached(source: TokenRef): BerbixTokens | undefined {
    try {
      if (isTransactionRef(source)) return this.#stored.fresh.cachedOf(source);
      const given = BerbixTokens.from(source);
      if (!given.needsRefresh()) return given;
      // Whether the store has the transaction is known only after a read, so only its cache is
      // used.
      return given.transactionId === undefined
        ? this.#given.fresh.cached(recordName.refreshToken(given.refreshToken))
        : this.#stored.fresh.cached(recordName.transaction(given.transactionId));
    } catch (error) {
      throw asInputError(REF_EXPECTED, error);
    }
  }

  /** Discards what this process has cached, since the store was changed. @internal */
  changed(owner: TransactionRef): Promise<void> {
    return this.#stored.fresh.replace(async () => [refQuery(owner).name]);
  }

  /**
   * @throws {BerbixStoreError} (as a rejection, which stops the boot) if the store is not set up
   */
  async onApplicationBootstrap(): Promise<void> {
    reportStore(this.#store, this.#options);
    await probeStore(this.#store);
  }

  /** Lets exchanges in flight finish. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.#stored.fresh.close(), this.#given.fresh.close()]);
  }

  async #refreshGiven(given: BerbixTokens, askedAt: number, caller: Caller): Promise<BerbixTokens> {
    // Do not start an exchange for a caller who has left.
    if (caller.hasLeft) return given;
    if (!this.#exchange.replaces && this.#options.onRotation === undefined) {
      return this.#exchange.run(given, caller);
    }
    // As for stored tokens: a new refresh token must not be lost when all callers leave.
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

/** @throws {BerbixInputError} for invalid options */
function requirementFrom(options: FreshTokensOptions): TokenRequirement {
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
