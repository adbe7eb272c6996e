import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Observable, defer, firstValueFrom } from 'rxjs';
import {
  BerbixConflictError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixNotFoundError,
  BerbixResponseError,
} from '../errors/index.js';
import { SealedRecords } from '../token-store/index.js';
import {
  BerbixTokenService,
  requireUid,
  type BerbixTokens,
  type TransactionRef,
  type TokenRecord,
} from '../tokens/index.js';
import { BerbixTransactionService } from '../transactions/index.js';
import {
  parseBeginOptions,
  type BeginVerification,
  type VerificationPlan,
} from './begin-verification.js';
import { CustomerAttempts, type Attempt, type KnownCustomer } from './customer-attempts.js';
import { VerificationResultDto } from './dto/verification-result.dto.js';
import { VerificationStartDto } from './dto/verification-start.dto.js';

/** A client token with less of its life left is replaced before it is handed out again. */
const RENEWED_BELOW = 1 / 2;

/**
 * The whole verification of a customer, by customer uid: begun or taken up again, begun anew,
 * its result, and its end. The tokens are in the store; what is returned for browsers holds a
 * client token or a URL, never another token.
 *
 * All Observables are cold, emit once and complete. Beside what is listed with a method they throw
 * the errors of `BerbixTokenService.fresh` and `BerbixTransactionService`.
 */
@Injectable()
export class BerbixVerificationService implements OnApplicationShutdown {
  readonly #logger = new Logger('BerbixVerificationService');
  readonly #tokens: BerbixTokenService;
  readonly #transactions: BerbixTransactionService;
  readonly #attempts: CustomerAttempts;

  constructor(
    @Inject(BerbixTokenService) tokens: BerbixTokenService,
    @Inject(BerbixTransactionService) transactions: BerbixTransactionService,
    @Inject(SealedRecords) sealed: SealedRecords,
  ) {
    this.#tokens = tokens;
    this.#transactions = transactions;
    this.#attempts = new CustomerAttempts(sealed, tokens.limits, (transaction) =>
      this.#end(transaction),
    );
  }

  /**
   * Takes the customer's unfinished verification up again, or begins one where there is none, where it
   * is gone at Berbix, where it was begun with another template or kind, or where it is finished and
   * `again` is set. Calls at the same time, on whatever replica, end with one
   * transaction.
   *
   * The client token of a verification that is taken up again is replaced where less than half of its life
   * is left, by one exchange for all who call meanwhile.
   *
   * @param customerUid your own id of the customer; take it from the login, not from the request
   * @throws {BerbixConflictError} when it is finished and `again` is not set
   * @throws {BerbixInvalidRefreshTokenError} when it is unknown to this account, and `again` is not set:
   * it may be of the account's other mode, and finished there
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   * @throws {BerbixTimeoutError} when another replica was busy with the customer for `totalTimeoutMs`
   * @throws {BerbixStoreError} among others when a transaction was created and could not be saved;
   * `tokens` of the error has its tokens, for `BerbixTokenService.remember`
   *
   * @example
   * ```ts
   * begin(uid: string): Observable<VerificationStartDto> {
   *   return this.verifications.begin(uid, { templateKey: this.templateKey });
   * }
   * ```
   */
  begin(customerUid: string, options: BeginVerification): Observable<VerificationStartDto> {
    return defer(async () => this.#lead(parseBeginOptions(customerUid, options), true));
  }

  /**
   * Begins a new attempt, whatever became of the one before; that stays readable by its transaction
   * id (see `history`). Calls at the same time end with one new attempt.
   *
   * @throws as `begin` does, but for the conflict
   */
  reverify(
    customerUid: string,
    options: Omit<BeginVerification, 'again'>,
  ): Observable<VerificationStartDto> {
    return defer(async () =>
      this.#lead({ ...parseBeginOptions(customerUid, options), again: true }, false),
    );
  }

  /**
   * Where the customer's current verification stands, and what came of it.
   *
   * @throws {BerbixInvalidRefreshTokenError} when it is unknown to this account, which does not say that
   * it is gone: it may be of the account's other mode
   */
  result(customerUid: string): Observable<VerificationResultDto> {
    return defer(async () => {
      try {
        const { current } = await this.#attempts.look(requireUid(customerUid));
        const owner = ownerOf(customerUid, current);
        return VerificationResultDto.of(await firstValueFrom(this.#transactions.fetch(owner)));
      } catch (error) {
        if (error instanceof BerbixNotFoundError)
          return VerificationResultDto.without('not_started');
        if (error instanceof BerbixGoneError) return VerificationResultDto.without('gone');
        throw error;
      }
    });
  }

  /**
   * The ids of the customer's transactions, the current one last, as far as they are known. Each can
   * be given to `BerbixTransactionService` as `{ transactionId }`.
   */
  history(customerUid: string): Observable<string[]> {
    return defer(async () => {
      const attempts = await this.#attempts.all(requireUid(customerUid));
      return attempts.flatMap(({ transactionId }) => transactionId ?? []);
    });
  }

  /**
   * Deletes all of the customer's transactions at Berbix, with all that was submitted to them, and then
   * their tokens in the store; emits undefined when that is done. Nobody begins another meanwhile, on
   * whatever replica. It may be repeated; where it fails, it has to be.
   *
   * @throws {BerbixInvalidRefreshTokenError} when a transaction cannot be deleted, since its refresh token
   * is unknown to this account: that of another account or mode. The others are deleted. Where you know
   * that it is gone, `BerbixTokenService.forget` removes what is left in the store
   * @throws {BerbixTimeoutError} when another replica was busy with the customer for `totalTimeoutMs`
   */
  forget(customerUid: string): Observable<undefined> {
    return defer(async () => {
      await this.#attempts.forget(requireUid(customerUid), (seen) =>
        this.#tokens.forgetAsSeen({ customerUid }, seen),
      );
      return undefined;
    });
  }

  /** Nothing more can be begun: the connections to the API are being closed. */
  onApplicationShutdown(): void {
    this.#attempts.close();
  }

  /** @param mayResume whether the attempt will do that is there at the first look */
  async #lead(plan: VerificationPlan, mayResume: boolean): Promise<VerificationStartDto> {
    for (let resumes = mayResume; ; resumes = true) {
      const known = await this.#attempts.look(plan.transaction.customerUid);
      const start =
        (resumes ? await this.#resume(plan, known) : undefined) ??
        (await this.#start(plan, known.version));
      // Undefined: somebody else has just begun one.
      if (start !== undefined) return start;
    }
  }

  /** Undefined where a new attempt is to be begun. */
  async #resume(
    { kind, again, transaction }: VerificationPlan,
    { current }: KnownCustomer,
  ): Promise<VerificationStartDto | undefined> {
    const { customerUid, templateKey } = transaction;
    const { hostedUrl, templateKey: begunWith = templateKey } = current ?? {};
    const isHosted = hostedUrl !== undefined;
    if (begunWith !== templateKey || isHosted !== (kind === 'hosted')) return undefined;
    const owner = ownerOf(customerUid, current);
    try {
      const { action, tokens } = await firstValueFrom(this.#transactions.fetch(owner));
      if (action === undefined) {
        const good = isHosted ? tokens : await this.#forFrontEnd(owner, tokens);
        return VerificationStartDto.of(good, hostedUrl, true);
      }
    } catch (error) {
      if (error instanceof BerbixNotFoundError || error instanceof BerbixGoneError)
        return undefined;
      if (!(error instanceof BerbixInvalidRefreshTokenError)) throw error;
      // The API secret may be that of the other mode: only 410 says that it is gone.
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

  /** With a client token that lasts for a while; tokens that were handed over may have none. */
  async #forFrontEnd(owner: TransactionRef, tokens: BerbixTokens): Promise<BerbixTokens> {
    const { accessToken, clientToken, lifetimeMs = 0 } = tokens;
    const wanted =
      clientToken === undefined
        ? { refused: accessToken }
        : { leewayMs: lifetimeMs * RENEWED_BELOW };
    const good = await firstValueFrom(this.#tokens.fresh(owner, wanted));
    if (good.clientToken !== undefined) return good;
    throw new BerbixResponseError('The API gave no client token for this transaction.');
  }

  async #start(plan: VerificationPlan, version: number): Promise<VerificationStartDto | undefined> {
    const { customerUid } = plan.transaction;
    const attempt = await this.#attempts.begin(customerUid, version, () => this.#create(plan));
    if (attempt === undefined) return undefined;
    await this.#tokens.changed({ customerUid });
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
        'key' in transaction ? await this.#tokens.freshAt(transaction.key) : transaction;
      await firstValueFrom(this.#transactions.delete(tokens));
    } catch (error) {
      // Removed from the store by somebody else meanwhile, who has seen to it.
      if (!(error instanceof BerbixGoneError)) throw error;
    }
  }

  #warnOfUnknown(current: TokenRecord | undefined): void {
    this.#logger.warn(
      `Transaction ${current?.transactionId} cannot be resumed: its refresh token is unknown to this account. Another one is begun, as requested. If that is unexpected, check that apiSecret belongs to the account and mode in which the transaction was begun.`,
    );
  }
}

/** By the transaction that the store has now: memory may have the one before for a while. */
function ownerOf(customerUid: string, current: TokenRecord | undefined): TransactionRef {
  const transactionId = current?.transactionId;
  return transactionId === undefined ? { customerUid } : { transactionId };
}

/** The customer may have been accepted there, so no other transaction is begun. */
function unknownTransactionError(): BerbixInvalidRefreshTokenError {
  return new BerbixInvalidRefreshTokenError(
    'The verification of this customer is unknown to this account. Check that apiSecret belongs to the account and mode in which it was begun. If it does, and the transaction is lost, call reverify(), or pass `again: true`, to begin another.',
  );
}
