import { Inject, Injectable, Logger, NotFoundException } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import {
  BerbixError,
  BerbixGoneError,
  BerbixInvalidRefreshTokenError,
  BerbixTokenService,
  type BerbixTokens,
  BerbixTransactionService,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import type { Storable, Verification } from './verification.js';
import { verificationsConfig } from './verifications.config.js';
import { VerificationsRepository } from './verifications.repository.js';

/** Keeps one verification per customer, and turns its stored refresh token into fresh tokens. */
@Injectable()
export class VerificationsService {
  readonly #logger = new Logger(VerificationsService.name);
  /** Two clicks, or two tabs, of one customer share the work. */
  readonly #underWay = new Map<string, Promise<BerbixTokens>>();

  constructor(
    @Inject(VerificationsRepository) private readonly verifications: VerificationsRepository,
    @Inject(BerbixTokenService) private readonly tokens: BerbixTokenService,
    @Inject(BerbixTransactionService) private readonly transactions: BerbixTransactionService,
    @Inject(verificationsConfig.KEY)
    private readonly config: ConfigType<typeof verificationsConfig>,
  ) {}

  /** Fresh tokens of the customer's verification, which begins if there is none to resume. */
  begin(customerUid: string): Promise<BerbixTokens> {
    const joined = this.#underWay.get(customerUid);
    if (joined) return joined;
    const begun = this.#beginOrResume(customerUid).finally(() =>
      this.#underWay.delete(customerUid),
    );
    this.#underWay.set(customerUid, begun);
    return begun;
  }

  /** @throws {NotFoundException} when none was begun */
  async get(customerUid: string): Promise<Verification> {
    const stored = await this.verifications.find(customerUid);
    if (stored) return stored;
    throw new NotFoundException('No verification has been begun.');
  }

  async #beginOrResume(customerUid: string): Promise<BerbixTokens> {
    const stored = await this.verifications.find(customerUid);
    const tokens = stored ? await this.#resume(stored) : await this.#start(customerUid);
    // Another instance of this backend was faster: go on from what it has stored.
    return tokens ?? this.#beginOrResume(customerUid);
  }

  /** @returns undefined when the stored verification is another by now */
  async #resume(stored: Verification): Promise<BerbixTokens | undefined> {
    try {
      const fresh = await firstValueFrom(this.tokens.refresh(stored.tokens));
      return (await this.#keep(stored, fresh)) ? fresh : undefined;
    } catch (error) {
      if (error instanceof BerbixError && error.tokens) {
        await this.#keep(stored, error.tokens);
      }
      if (!cannotBeContinued(error)) throw error;
      const current = await this.verifications.find(stored.customerUid);
      if (current?.tokens.refreshToken !== stored.tokens.refreshToken) return undefined;
      this.#logger.log(`${stored.tokens} cannot be continued (${error.code}); a new one begins.`);
      return this.#start(stored.customerUid, stored);
    }
  }

  /**
   * Stores the tokens before anybody gets them: the other way round a crash would leave a customer
   * in a verification that the backend knows nothing of.
   *
   * @returns undefined when another instance has stored one meanwhile
   */
  async #start(customerUid: string, instead?: Verification): Promise<BerbixTokens | undefined> {
    const { templateKey } = this.config;
    const tokens = await firstValueFrom(this.transactions.create({ customerUid, templateKey }));
    const stored = instead
      ? await this.verifications.replace(instead, tokens)
      : await this.verifications.insert(customerUid, tokens);
    if (stored) return tokens;
    this.#logger.warn(`${tokens} will not be used: the customer has another one already.`);
    return undefined;
  }

  /**
   * Should Berbix have replaced the refresh token, the stored one is worthless: the new one is stored
   * before anything is handed out, also when the rest of the answer was of no use.
   */
  async #keep(stored: Verification, fresh: Storable): Promise<boolean> {
    if (fresh.refreshToken === stored.tokens.refreshToken) return true;
    if (isOfAnother(fresh, stored.tokens)) return false;
    return this.verifications.rotate(stored, fresh);
  }
}

/** Then its refresh token is not this customer's. */
function isOfAnother(fresh: Storable, stored: Storable): boolean {
  const ids = new Set([fresh.transactionId, stored.transactionId]);
  ids.delete(undefined);
  return ids.size > 1;
}

/** Not so for any other error, which says nothing about the stored refresh token. */
function cannotBeContinued(
  error: unknown,
): error is BerbixInvalidRefreshTokenError | BerbixGoneError {
  return error instanceof BerbixInvalidRefreshTokenError || error instanceof BerbixGoneError;
}
