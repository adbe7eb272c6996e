import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Observable, firstValueFrom } from 'rxjs';
import { observeWait, type BerbixCallOptions } from '../concurrency/index.js';
import {
  BerbixConflictError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixNotFoundError,
} from '../errors/index.js';
import { EventBus } from '../events/index.js';
import type { TokenRecord } from '../records/index.js';
import { traced } from '../telemetry/index.js';
import { SealedRecords } from '../token-store/index.js';
import { BerbixTokenService } from '../tokens/index.js';
import { BerbixTransactionService } from '../transactions/index.js';
import { requireUid, type BerbixTokens, type BerbixTransactionRef } from '../values/index.js';
import {
  parseBeginOptions,
  type BerbixVerificationOptions,
  type VerificationPlan,
} from './begin.options.js';
import {
  CustomerAttempts,
  unknownTransactionError,
  type Attempt,
  type KnownCustomer,
} from './customer-attempts.js';
import { VerificationResultDto } from './dto/verification-result.dto.js';
import { VerificationStartDto } from './dto/verification-start.dto.js';

/**
 * A client token with a smaller share of its lifetime left is replaced before it is handed out
 * again.
 */
const RENEWED_BELOW = 1 / 2;

/**
 * The whole verification, by customer uid: begin, resume or repeat it, read its result, erase it.
 * The tokens stay in the store. What is returned for browsers contains a client token or a URL,
 * never another token.
 *
 * All Observables are cold, emit once and complete. The `signal` and the `timeoutMs` of the last
 * argument end the wait; as with unsubscribing, what has begun goes on, so that no transaction is
 * lost. In addition to the errors of each method, they throw those of `BerbixTokenService.fresh` and
 * `BerbixTransactionService`.
 */
@Injectable()
export class BerbixVerificationService implements BeforeApplicationShutdown {
  readonly #logger = new Logger('BerbixVerificationService');
  readonly #tokens: BerbixTokenService;
  readonly #transactions: BerbixTransactionService;
  readonly #attempts: CustomerAttempts;
  readonly #events: EventBus;

  constructor(
    @Inject(BerbixTokenService) tokens: BerbixTokenService,
    @Inject(BerbixTransactionService) transactions: BerbixTransactionService,
    @Inject(SealedRecords) sealed: SealedRecords,
    @Inject(EventBus) events: EventBus,
  ) {
    this.#events = events;
    this.#tokens = tokens;
    this.#transactions = transactions;
    this.#attempts = new CustomerAttempts(sealed, tokens.limits, events, (transaction) =>
      this.#end(transaction),
    );
  }

  /**
   * Resumes the customer's unfinished verification. Begins a new one if there is none, if it is
   * gone at Berbix, if it was begun with another template or kind, or if it is finished and `again`
   * is set. Concurrent calls, on any replica, end with one transaction.
   *
   * When a verification is resumed and less than half of its client token's lifetime is left, the
   * token is replaced, by one exchange for all concurrent callers.
   *
   * @param customerUid your own id of the customer; take it from the login, not from the request
   * @throws {BerbixConflictError} if it is finished and `again` is not set
   * @throws {BerbixInvalidRefreshTokenError} if it is unknown to this account and `again` is not
   * set: it may belong to the account's other mode, and be finished there
   * @throws {BerbixInputError} for invalid options, also misspelled names
   * @throws {BerbixConfigurationError} in production without a store (see `allowInMemoryStore`)
   * @throws {BerbixTimeoutError} if another replica was busy with the customer for `totalTimeoutMs`
   * @throws {BerbixStoreError} among other cases, if a transaction was created and could not be
   * saved; its tokens are in `tokens` of the error, for `BerbixTokenService.remember`. The log and
   * the event `token.unsaved` tell of it too, since the caller may have left
   *
   * @example
   * ```ts
   * begin(uid: string): Observable<VerificationStartDto> {
   *   return this.verifications.begin(uid, { templateKey: this.templateKey });
   * }
   * ```
   */
  begin(
    customerUid: string,
    options: BerbixVerificationOptions,
    callOptions?: BerbixCallOptions,
  ): Observable<VerificationStartDto> {
    return traced(
      'berbix.verification.begin',
      observeWait(async () => {
        return this.#beginOrResume(parseBeginOptions(customerUid, options), true);
      }, callOptions),
    );
  }

  /**
   * Begins a new attempt, regardless of the state of the previous one, which stays readable by its
   * transaction id (see `history`). Concurrent calls end with one new attempt.
   *
   * @throws the errors of `begin`, except the conflict
   */
  reverify(
    customerUid: string,
    options: Omit<BerbixVerificationOptions, 'again'>,
    callOptions?: BerbixCallOptions,
  ): Observable<VerificationStartDto> {
    return traced(
      'berbix.verification.reverify',
      observeWait(async () => {
        const plan = parseBeginOptions(customerUid, options);
        return this.#beginOrResume({ ...plan, again: true }, false);
      }, callOptions),
    );
  }

  /**
   * The status and the result of the customer's current verification.
   *
   * @throws {BerbixInvalidRefreshTokenError} if it is unknown to this account. That does not mean
   * that it is gone: it may belong to the account's other mode
   */
  result(customerUid: string, callOptions?: BerbixCallOptions): Observable<VerificationResultDto> {
    return traced(
      'berbix.verification.result',
      observeWait(async () => {
        try {
          const owner = this.#currentRef(await this.#attempts.find(requireUid(customerUid)));
          return VerificationResultDto.of(await firstValueFrom(this.#transactions.fetch(owner)));
        } catch (error) {
          if (error instanceof BerbixNotFoundError)
            return VerificationResultDto.without('not_started');
          if (error instanceof BerbixGoneError) return VerificationResultDto.without('gone');
          throw error;
        }
      }, callOptions),
    );
  }

  /**
   * The known ids of the customer's transactions, the current one last, without forgotten ones: if
   * the current one was forgotten, `result` says `gone`, and the last id is that of an earlier one.
   * Pass one to `BerbixTransactionService` as `{ transactionId }`.
   */
  history(customerUid: string, callOptions?: BerbixCallOptions): Observable<string[]> {
    return traced(
      'berbix.verification.history',
      observeWait(async () => {
        const attempts = await this.#attempts.all(requireUid(customerUid));
        const ids = attempts.flatMap(({ transactionId }) => transactionId ?? []).toReversed();
        // A transaction has two records if its refresh token was also remembered alone.
        return [...new Set(ids)].toReversed();
      }, callOptions),
    );
  }

  /**
   * Deletes all of the customer's transactions at Berbix, with everything that was submitted to
   * them, and then their tokens in the store; emits undefined when that is done. No replica begins
   * another one meanwhile. It may be repeated; if it fails, repeat it.
   *
   * @throws {BerbixInvalidRefreshTokenError} if a transaction cannot be deleted because its refresh
   * token is unknown to this account: it may belong to another account or mode. The others are
   * deleted. If you know that it is gone, `BerbixTokenService.forget` removes the rest from the
   * store
   * @throws {BerbixTimeoutError} if another replica was busy with the customer for `totalTimeoutMs`
   */
  erase(customerUid: string, callOptions?: BerbixCallOptions): Observable<undefined> {
    return traced(
      'berbix.verification.erase',
      observeWait(async () => {
        await this.#attempts.erase(requireUid(customerUid), (lease) =>
          this.#tokens.forgetIfUnchanged({ customerUid }, lease),
        );
        return undefined;
      }, callOptions),
    );
  }

  /** Before the application closes the connections of its store. */
  beforeApplicationShutdown(): Promise<void> {
    return this.#attempts.close();
  }

  /**
   * @param mayResume whether the attempt of the first read may be resumed; a later one always may
   */
  async #beginOrResume(plan: VerificationPlan, mayResume: boolean): Promise<VerificationStartDto> {
    // Before a transaction is created whose tokens could not be saved.
    this.#tokens.checkBeforeSaving();
    for (let resumes = mayResume; ; resumes = true) {
      const known = await this.#attempts.findSaved(plan.transaction.customerUid);
      const start =
        (resumes ? await this.#resume(plan, known) : undefined) ??
        (await this.#start(plan, known.version));
      // Undefined: another call has just begun one.
      if (start !== undefined) return start;
    }
  }

  /** Resumes the current attempt; undefined if a new one must begin. */
  async #resume(
    { kind, again, transaction }: VerificationPlan,
    known: KnownCustomer,
  ): Promise<VerificationStartDto | undefined> {
    const { customerUid, templateKey } = transaction;
    const { current } = known;
    const { hostedUrl, templateKey: begunWith = templateKey } = current ?? {};
    const isHosted = hostedUrl !== undefined;
    if (begunWith !== templateKey || isHosted !== (kind === 'hosted')) return undefined;
    const owner = this.#currentRef(known);
    try {
      const { action, tokens } = await firstValueFrom(this.#transactions.fetch(owner));
      if (action === undefined) {
        const usable = isHosted ? tokens : await this.#withClientToken(owner, tokens);
        const { transactionId } = tokens;
        this.#events.emit('verification.resumed', () => ({ customerUid, transactionId }));
        return VerificationStartDto.of(usable, hostedUrl, true);
      }
    } catch (error) {
      if (error instanceof BerbixNotFoundError || error instanceof BerbixGoneError)
        return undefined;
      if (!(error instanceof BerbixInvalidRefreshTokenError)) throw error;
      // The API secret may be that of the other mode: only 410 proves that it is gone.
      if (!again) throw unknownTransactionError();
      this.#warnOfUnknown(current);
      return undefined;
    }
    if (again) return undefined;
    throw new BerbixConflictError(
      'The verification of this customer is finished. Pass `again: true`, or call reverify(), to begin another.',
      {},
    );
  }

  /** The transaction that the store has now: the cache may still have the previous one. */
  #currentRef({ ref }: KnownCustomer): BerbixTransactionRef {
    if ('customerUid' in ref) this.#tokens.stored.discardCustomer(ref.customerUid);
    return ref;
  }

  /** Tokens with a client token that is valid for a while. */
  #withClientToken(
    owner: BerbixTransactionRef,
    { lifetimeMs = 0 }: BerbixTokens,
  ): Promise<BerbixTokens> {
    const leewayMs = lifetimeMs * RENEWED_BELOW;
    return firstValueFrom(this.#tokens.withClientToken(owner, { leewayMs }));
  }

  async #start(plan: VerificationPlan, version: number): Promise<VerificationStartDto | undefined> {
    const { customerUid } = plan.transaction;
    const attempt = await this.#attempts.begin(customerUid, version, () => this.#create(plan));
    if (attempt === undefined) return undefined;
    this.#tokens.stored.discardCustomer(customerUid);
    return VerificationStartDto.of(attempt.tokens, attempt.hostedUrl, false);
  }

  async #create({ kind, transaction }: VerificationPlan): Promise<Attempt> {
    const { templateKey } = transaction;
    if (kind === 'sdk') {
      return { tokens: await firstValueFrom(this.#transactions.create(transaction)), templateKey };
    }
    const hosted = await firstValueFrom(this.#transactions.createHosted(transaction));
    return { tokens: hosted.tokens, hostedUrl: hosted.hostedUrl, templateKey };
  }

  async #end(transaction: BerbixTokens | { key: string }): Promise<void> {
    try {
      const tokens =
        'key' in transaction ? await this.#tokens.stored.get(transaction.key) : transaction;
      await firstValueFrom(this.#transactions.delete(tokens));
    } catch (error) {
      // Deleted or forgotten by another call meanwhile.
      if (!(error instanceof BerbixGoneError)) throw error;
    }
  }

  #warnOfUnknown(current: TokenRecord | undefined): void {
    this.#logger.warn(
      `Transaction ${current?.transactionId} cannot be resumed: its refresh token is unknown to this account. Another one is begun, as requested. If that is unexpected, check that apiSecret belongs to the account and mode in which the transaction was begun.`,
    );
  }
}
