import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Observable, defer } from 'rxjs';
import { observe, type BerbixCallOptions } from '../concurrency/index.js';
import { asInputError } from '../errors/index.js';
import { EventBus } from '../events/index.js';
import { BerbixHttp } from '../http/index.js';
import { queryOf, refQuery } from '../records/index.js';
import {
  StoredTokens,
  checkHooks,
  freshnessSettings,
  type FreshnessSettings,
} from '../renewal/index.js';
import { traced } from '../telemetry/index.js';
import { CheckedStore, SealedRecords, type RecordRevision } from '../token-store/index.js';
import {
  TOKEN_REF_EXPECTED,
  BerbixTokens,
  type BerbixTransactionRef,
  type BerbixTokenRef,
} from '../values/index.js';
import {
  NO_OPTIONS,
  freshLimits,
  requirementFrom,
  type FreshTokensOptions,
} from './fresh-tokens.options.js';
import { readRemembered, type RememberedTokens } from './remembered-tokens.js';
import { checkBeforeSaving, checkStore } from './store-report.js';
import { TokenAccess } from './token-access.js';
import { TokenExchange } from './token-exchange.js';
import { BERBIX_TOKEN_OPTIONS, type BerbixTokenAccountOptions } from './token.options.js';

/** Turns refresh tokens into fresh access and client tokens, and keeps them fresh. */
@Injectable()
export class BerbixTokenService implements BeforeApplicationShutdown {
  /** Milliseconds for a call, and for a lease of a record. @internal */
  readonly limits: Pick<FreshnessSettings, 'totalTimeoutMs' | 'leaseMs'>;
  /** @throws {BerbixConfigurationError} if saved tokens would be lost. @internal */
  readonly checkBeforeSaving: () => void;
  readonly #events: EventBus;
  /** Tokens in the store. @internal */
  readonly stored: StoredTokens;
  /** Tokens that callers pass and the store does not have; in the memory of this process. */
  readonly #given: StoredTokens;
  readonly #access: TokenAccess;

  /** @throws {BerbixConfigurationError} that names the wrong option */
  constructor(
    @Inject(BerbixHttp) http: BerbixHttp,
    @Inject(CheckedStore) store: CheckedStore,
    @Inject(SealedRecords) sealed: SealedRecords,
    @Inject(BERBIX_TOKEN_OPTIONS) options: BerbixTokenAccountOptions,
    @Inject(EventBus) events: EventBus,
  ) {
    checkHooks(options);
    const { onRotation, loadTokens } = options;
    const settings = freshnessSettings(options.freshness, http.limits);
    checkStore(store, settings.rotation, options);
    this.checkBeforeSaving = checkBeforeSaving(store, options);
    this.limits = settings;
    this.#events = events;
    const exchange = new TokenExchange(http, settings.rotation, events);
    const parts = { settings, exchange, events, onRotation };
    this.stored = new StoredTokens({ ...parts, sealed, loadTokens });
    this.#given = StoredTokens.inMemory(parts);
    this.#access = new TokenAccess({
      store,
      stored: this.stored,
      given: this.#given,
      exchange,
      notifies: onRotation !== undefined,
      totalTimeoutMs: settings.totalTimeoutMs,
    });
  }

  /**
   * Exchanges the refresh token as soon as it is subscribed to; emits the new tokens once and
   * completes. Keep the refresh token in them: it is the old one, or a new one if the API sent one.
   * If the store has the transaction of the tokens, the new ones are saved before they are emitted. A
   * bare refresh token is never looked up in the store, since its transaction is not known: for
   * stored tokens, pass tokens with a `transactionId`, or use `fresh({ transactionId })`.
   *
   * Callers for the same refresh token share one exchange. It goes on for the others when one leaves:
   * by unsubscribing, its `signal` or its `timeoutMs`. When the last one leaves, it is aborted, unless
   * a new refresh token could be lost: if the store has the transaction, or the API replaces refresh
   * tokens.
   *
   * @param tokens tokens, or a refresh token from your own table. If the store has the `transactionId`
   * of the tokens, the stored refresh token is used instead; `remember()` replaces it
   * @throws on the Observable:
   * - {BerbixInvalidRefreshTokenError} empty, malformed, or unknown to the account
   * - {BerbixInputError} a redacted copy of tokens, or invalid options of the call
   * - {BerbixAbortedError} the `signal` ended the wait
   * - {BerbixGoneError} the transaction was deleted or purged
   * - {BerbixAuthenticationError} the API secret was not accepted
   * - {BerbixConfigurationError} the function `apiSecret` failed
   * - {BerbixRequestError} another refusal of the API
   * - {BerbixResponseError} the answer breaks the contract of the API; if it has a refresh token,
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
  refresh(
    tokens: BerbixTokens | string,
    callOptions?: BerbixCallOptions,
  ): Observable<BerbixTokens> {
    return observe(
      (caller) => {
        return this.#access.refresh(BerbixTokens.from(tokens), caller);
      },
      callOptions,
      'berbix.tokens.refresh',
    );
  }

  /**
   * Tokens that are valid for a while: from memory, from the store, or by one exchange for the
   * whole fleet. Emits once and completes; synchronously, if the tokens are in memory and there are
   * no options.
   *
   * Tokens are stale after three quarters of their lifetime: they are still handed out, and renewed
   * in the background. If they cannot be renewed, they are handed out until shortly before they
   * expire (stale-if-error); `needsRefresh()` of such tokens is true. Unsubscribing ends the
   * caller's wait, not the exchange that others may wait for; so do the `signal` and the `timeoutMs`
   * of the options. It never takes longer than the latter, or `totalTimeoutMs`.
   *
   * @param ref the transaction or customer of stored tokens; or tokens or a refresh token from
   * your own table
   * @throws on the Observable, in addition to the errors of `refresh`:
   * - {BerbixInputError} an invalid id, uid or `leewayMs`
   * - {BerbixNotFoundError} nothing is stored for this customer or transaction
   * - {BerbixGoneError} it was forgotten, or it is gone at Berbix
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(this.tokens.fresh({ customerUid: user.id }));
   * ```
   */
  fresh(ref: BerbixTokenRef, options: FreshTokensOptions = NO_OPTIONS): Observable<BerbixTokens> {
    return new Observable((subscriber) => {
      const tokens = options === NO_OPTIONS ? this.cached(ref) : undefined;
      if (tokens === undefined) return this.#fresh(ref, options).subscribe(subscriber);
      // Synchronously: a promise would delay every cache hit.
      subscriber.next(tokens);
      subscriber.complete();
      return undefined;
    });
  }

  /**
   * `fresh`, but tokens without a client token are exchanged too, as remembered ones may be.
   *
   * @throws on the Observable, in addition, {BerbixResponseError} if the API gives none
   * @internal
   */
  withClientToken(ref: BerbixTokenRef, options = NO_OPTIONS): Observable<BerbixTokens> {
    return this.#fresh(ref, options, true);
  }

  /**
   * Saves tokens, in place of those that the store has for the same transaction; emits undefined
   * when they are saved. With a customer, the transaction becomes their current one; earlier ones
   * stay.
   *
   * @throws on the Observable {BerbixInputError} for a refresh token alone without a customer,
   * {BerbixConfigurationError} in production without a store (see `allowInMemoryStore`),
   * {BerbixStoreError}, {BerbixTimeoutError} if an exchange of the same refresh token, which it
   * waits for, did not end within `totalTimeoutMs`; try again then
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(this.transactions.create({ customerUid, templateKey }));
   * await firstValueFrom(this.tokens.remember({ customerUid, tokens }));
   * ```
   */
  remember(remembered: RememberedTokens): Observable<undefined> {
    return traced(
      'berbix.tokens.remember',
      defer(async () => {
        const { tokens, customerUid } = readRemembered(remembered);
        this.checkBeforeSaving();
        await this.stored.remember(tokens, customerUid);
        return undefined;
      }),
    );
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
  forget(owner: BerbixTransactionRef): Observable<undefined> {
    return traced(
      'berbix.tokens.forget',
      defer(async () => {
        // What callers pass may have more than the reference, such as the other columns of a row.
        const { name, owner: known } = refQuery(owner);
        const wasStored = await this.stored.forget(name);
        if (wasStored) this.#events.emit('token.forgotten', () => known);
        return undefined;
      }),
    );
  }

  /**
   * `forget`, if the record has not changed since it was read; resolves to false if it has.
   * @internal
   */
  async forgetIfUnchanged(owner: BerbixTransactionRef, expected: RecordRevision): Promise<boolean> {
    const { name, owner: known } = refQuery(owner);
    const { isComplete, wasStored } = await this.stored.forgetIfUnchanged(name, expected);
    if (isComplete && wasStored) this.#events.emit('token.forgotten', () => known);
    return isComplete;
  }

  /**
   * The tokens that `fresh` emits synchronously; undefined if it has to wait for anything.
   * @internal
   */
  cached(ref: BerbixTokenRef): BerbixTokens | undefined {
    try {
      return this.#access.cached(ref);
    } catch (error) {
      throw asInputError(TOKEN_REF_EXPECTED, error);
    }
  }

  /**
   * Lets exchanges in flight finish, for up to ten seconds. From then on, none begins: valid tokens
   * are still handed out, and a call that needs other ones fails with a `BerbixUnavailableError`.
   */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.stored.close(), this.#given.close()]);
  }

  #fresh(
    ref: BerbixTokenRef,
    options: FreshTokensOptions,
    needsClientToken?: true,
  ): Observable<BerbixTokens> {
    return observe(
      async (caller) => {
        const need = { ...requirementFrom(options), needsClientToken };
        return this.#access.fresh(queryOf(ref), need, caller);
      },
      freshLimits(options),
      'berbix.tokens.fresh',
    );
  }
}
