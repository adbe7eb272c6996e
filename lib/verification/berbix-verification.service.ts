import { Inject, Injectable } from '@nestjs/common';
import { Observable, defer, firstValueFrom } from 'rxjs';
import {
  BerbixConflictError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixNotFoundError,
} from '../errors/index.js';
import { BerbixHttp } from '../http/index.js';
import { TokenVault } from '../token-store/index.js';
import { BerbixTokenService, BerbixTokens, requireUid } from '../tokens/index.js';
import {
  BerbixTransactionService,
  type CreateHostedTransactionDto,
  type TransactionDto,
} from '../transactions/index.js';
import { CustomerAttempts, type Attempt, type KnownCustomer } from './customer-attempts.js';
import { VerificationResultDto } from './dto/verification-result.dto.js';
import { VerificationStartDto } from './dto/verification-start.dto.js';

/** With what a verification is begun. */
export interface BeginVerification extends Omit<CreateHostedTransactionDto, 'customerUid'> {
  /**
   * `sdk`: in your page or app, with the Berbix front end. `hosted`: on a page of Berbix's, for which
   * `completionEmail` and `redirectUrl` are.
   * @default 'sdk'
   */
  kind?: 'sdk' | 'hosted' | undefined;

  /**
   * Begins a new attempt where the one before is finished. Without it that is a conflict, so that nobody
   * is verified twice by mistake.
   * @default false
   */
  again?: boolean | undefined;
}

/**
 * The way of a customer through verification, by his uid alone: begun or taken up again, begun anew,
 * its result, and its end. The tokens are in the store; what is returned for browsers holds a
 * client token or a URL, never another token.
 *
 * All Observables are cold, emit once and complete. Beside what is listed with a method they throw
 * the errors of `BerbixTokenService.fresh` and `BerbixTransactionService`.
 */
@Injectable()
export class BerbixVerificationService {
  readonly #tokens: BerbixTokenService;
  readonly #transactions: BerbixTransactionService;
  readonly #attempts: CustomerAttempts;

  constructor(
    @Inject(BerbixTokenService) tokens: BerbixTokenService,
    @Inject(BerbixTransactionService) transactions: BerbixTransactionService,
    @Inject(TokenVault) vault: TokenVault,
    @Inject(BerbixHttp) http: BerbixHttp,
  ) {
    this.#tokens = tokens;
    this.#transactions = transactions;
    this.#attempts = new CustomerAttempts(vault, http.limits.totalTimeoutMs);
  }

  /**
   * Takes the customer's unfinished verification up again, or begins one where there is none, where it
   * is gone at Berbix, where it was begun with another template or kind, or where it is finished
   * and `again` is set. Calls at the same time, on whatever replica, end with one transaction.
   *
   * @param customerUid your own id of the customer; take it from the login, not from the request
   * @throws {BerbixConflictError} when it is finished and `again` is not set
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   *
   * @example
   * ```ts
   * @Post('verification')
   * begin(@SignedInCustomer() uid: string): Observable<VerificationStartDto> {
   *   return this.verifications.begin(uid, { templateKey: this.templateKey });
   * }
   * ```
   */
  begin(customerUid: string, options: BeginVerification): Observable<VerificationStartDto> {
    return defer(async () => {
      requireUid(customerUid);
      for (;;) {
        const known = await this.#attempts.look(customerUid);
        const resumed = await this.#resume(customerUid, known, options);
        if (resumed !== undefined) return resumed;
        const begun = await this.#start(customerUid, known.version, options);
        if (begun !== undefined) return begun;
      }
    });
  }

  /**
   * Begins a new attempt, whatever became of the one before; that stays readable by its transaction
   * id (see `history`). Calls at the same time end with one new attempt.
   *
   * @throws {BerbixInputError} for what cannot be sent, misspelt names included
   */
  reverify(
    customerUid: string,
    options: Omit<BeginVerification, 'again'>,
  ): Observable<VerificationStartDto> {
    return defer(async () => {
      requireUid(customerUid);
      for (;;) {
        const { version } = await this.#attempts.look(customerUid);
        const begun = await this.#start(customerUid, version, options);
        if (begun !== undefined) return begun;
        // Somebody else has just begun one.
        const known = await this.#attempts.look(customerUid);
        const resumed = await this.#resume(customerUid, known, { ...options, again: true });
        if (resumed !== undefined) return resumed;
      }
    });
  }

  /** Where the customer's current verification stands, and what came of it. */
  result(customerUid: string): Observable<VerificationResultDto> {
    return defer(async () => {
      try {
        const known = await this.#attempts.look(requireUid(customerUid));
        return VerificationResultDto.of(await this.#fetch(customerUid, known));
      } catch (error) {
        if (error instanceof BerbixNotFoundError)
          return VerificationResultDto.without('not_started');
        if (isGone(error)) return VerificationResultDto.without('gone');
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
      const { attempts } = await this.#attempts.look(requireUid(customerUid));
      return attempts.flatMap(({ transactionId }) => transactionId ?? []);
    });
  }

  /**
   * Deletes all of the customer's transactions at Berbix, with all that was submitted to them, and then
   * their tokens in the store. It may be repeated; where it fails, it has to be.
   */
  forget(customerUid: string): Observable<undefined> {
    return defer(async () => {
      const { attempts } = await this.#attempts.look(requireUid(customerUid));
      for (const { refreshToken, transactionId } of attempts) {
        const tokens = new BerbixTokens({ refreshToken, transactionId });
        try {
          await firstValueFrom(this.#transactions.delete(tokens));
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      }
      return firstValueFrom(this.#tokens.forget({ customerUid }));
    });
  }

  /** Undefined where a new attempt is to be begun. */
  async #resume(
    customerUid: string,
    known: KnownCustomer,
    { templateKey, kind = 'sdk', again = false }: BeginVerification,
  ): Promise<VerificationStartDto | undefined> {
    const { hostedUrl, templateKey: begunWith = templateKey } = known.current ?? {};
    try {
      const { action, tokens } = await this.#fetch(customerUid, known);
      const isHosted = hostedUrl !== undefined;
      if (begunWith !== templateKey || isHosted !== (kind === 'hosted')) return undefined;
      if (action === undefined) return VerificationStartDto.of(tokens, hostedUrl, true);
      if (again) return undefined;
      throw new BerbixConflictError(
        'The verification of this customer is finished. Pass `again: true`, or call reverify(), to begin another.',
        {},
      );
    } catch (error) {
      if (error instanceof BerbixNotFoundError || isGone(error)) return undefined;
      throw error;
    }
  }

  async #start(
    customerUid: string,
    version: number,
    options: BeginVerification,
  ): Promise<VerificationStartDto | undefined> {
    const attempt = await this.#attempts.begin(customerUid, version, () =>
      this.#create(customerUid, options),
    );
    if (attempt === undefined) return undefined;
    await this.#tokens.changed({ customerUid });
    return VerificationStartDto.of(attempt.tokens, attempt.hostedUrl, false);
  }

  async #create(customerUid: string, options: BeginVerification): Promise<Attempt> {
    const { kind = 'sdk', ...transaction } = { ...options, customerUid };
    const { templateKey } = transaction;
    delete transaction.again;
    if (kind === 'sdk') {
      return { tokens: await firstValueFrom(this.#transactions.create(transaction)), templateKey };
    }
    const hosted = await firstValueFrom(this.#transactions.createHosted(transaction));
    return { tokens: hosted.tokens, hostedUrl: hosted.hostedUrl, templateKey };
  }

  /** By the transaction that the store has now: memory may have the one before for a while. */
  #fetch(customerUid: string, { current }: KnownCustomer): Promise<TransactionDto> {
    const transactionId = current?.transactionId;
    const owner = transactionId === undefined ? { customerUid } : { transactionId };
    return firstValueFrom(this.#transactions.fetch(owner));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof BerbixGoneError || error instanceof BerbixInvalidRefreshTokenError;
}
