import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import {
  BerbixConflictError,
  BerbixInvalidRefreshTokenError,
  BerbixTokenService,
  BerbixVerificationService,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import type { VerificationStatusDto } from './verification-status.dto.js';
import { verificationsConfig } from './verifications.config.js';
import { VerificationsRepository } from './verifications.repository.js';

/**
 * Verifies customers, and keeps the status of each in a table of the application. The tokens are
 * left to BerbixVerificationService and the token store.
 */
@Injectable()
export class VerificationsService {
  readonly #logger = new Logger(VerificationsService.name);

  constructor(
    private readonly berbix: BerbixVerificationService,
    private readonly tokens: BerbixTokenService,
    private readonly verifications: VerificationsRepository,
    @Inject(verificationsConfig.KEY)
    private readonly config: ConfigType<typeof verificationsConfig>,
  ) {}

  /** @throws {BerbixConflictError} if it is finished */
  async begin(customerUid: string): Promise<VerificationStartDto> {
    try {
      return await this.#saved(customerUid, this.berbix.begin(customerUid, this.config));
    } catch (error) {
      if (error instanceof BerbixConflictError) await this.#catchUp(customerUid);
      throw error;
    }
  }

  /** Begins another attempt. Decide who may do this, and how often: Berbix charges for each. */
  beginAgain(customerUid: string): Promise<VerificationStartDto> {
    return this.#saved(customerUid, this.berbix.reverify(customerUid, this.config));
  }

  /** From the table, which the webhooks keep up to date; does not call Berbix. */
  status(customerUid: string): Promise<VerificationStatusDto> {
    return this.verifications.find(customerUid);
  }

  /** Reads the current result, regardless of what the webhook said. */
  async update(customerUid: string, transactionId: string): Promise<void> {
    const { status, transaction } = await firstValueFrom(this.berbix.result(customerUid));
    // Ignore earlier attempts, and customers who were deleted meanwhile.
    if (transaction?.id === transactionId) {
      await this.verifications.setStatus(transactionId, status);
    }
  }

  /** Deletes at Berbix first: if that fails, it can be repeated. */
  async erase(customerUid: string): Promise<void> {
    try {
      await firstValueFrom(this.berbix.erase(customerUid));
    } catch (error) {
      if (!(error instanceof BerbixInvalidRefreshTokenError)) throw error;
      // Here, it belongs to the sandbox of an earlier start. With a real account, investigate
      // first.
      this.#logger.warn(
        'A transaction could not be deleted at Berbix: it belongs to another account, such as the sandbox of an earlier start.',
      );
      await firstValueFrom(this.tokens.forget({ customerUid }));
    }
    await this.verifications.remove(customerUid);
  }

  /** Saves the new transaction before the customer can continue, so before any webhook of it. */
  async #saved(
    customerUid: string,
    begun: Observable<VerificationStartDto>,
  ): Promise<VerificationStartDto> {
    const start = await firstValueFrom(begun);
    if (start.transactionId !== undefined) {
      await this.verifications.begun(customerUid, start.transactionId);
    }
    return start;
  }

  /** A webhook can be lost, and a process can end between two steps. */
  async #catchUp(customerUid: string): Promise<void> {
    const { status, transaction } = await firstValueFrom(this.berbix.result(customerUid));
    if (transaction === undefined) return;
    await this.verifications.begun(customerUid, transaction.id);
    await this.verifications.setMissingStatus(transaction.id, status);
  }
}
