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
 * Verifies customers, and keeps in a table of the application's how it stands with each of them. The
 * tokens are the business of BerbixVerificationService and of the token store.
 */
@Injectable()
export class VerificationsService {
  readonly #logger = new Logger(VerificationsService.name);

  constructor(
    @Inject(BerbixVerificationService) private readonly berbix: BerbixVerificationService,
    @Inject(BerbixTokenService) private readonly tokens: BerbixTokenService,
    @Inject(VerificationsRepository) private readonly verifications: VerificationsRepository,
    @Inject(verificationsConfig.KEY)
    private readonly config: ConfigType<typeof verificationsConfig>,
  ) {}

  /** @throws {BerbixConflictError} when it is finished */
  async begin(customerUid: string): Promise<VerificationStartDto> {
    try {
      return await this.#noted(customerUid, this.berbix.begin(customerUid, this.config));
    } catch (error) {
      if (error instanceof BerbixConflictError) await this.#catchUp(customerUid);
      throw error;
    }
  }

  /** Another attempt. Who may have one, and how often, is for you to say: Berbix charges for each. */
  beginAgain(customerUid: string): Promise<VerificationStartDto> {
    return this.#noted(customerUid, this.berbix.reverify(customerUid, this.config));
  }

  /** As the webhooks have told; Berbix is not asked. */
  status(customerUid: string): Promise<VerificationStatusDto> {
    return this.verifications.find(customerUid);
  }

  /** What is true now, whatever the webhook that told of news has said. */
  async update(customerUid: string, transactionId: string): Promise<void> {
    const { status, transaction } = await firstValueFrom(this.berbix.result(customerUid));
    // Not of an earlier attempt, nor of a customer who was forgotten meanwhile.
    if (transaction?.id === transactionId) {
      await this.verifications.setStatus(transactionId, status);
    }
  }

  /** At Berbix first: should that fail, it can be asked for again. */
  async forget(customerUid: string): Promise<void> {
    try {
      await firstValueFrom(this.berbix.forget(customerUid));
    } catch (error) {
      if (!(error instanceof BerbixInvalidRefreshTokenError)) throw error;
      // Here, that of a sandbox of an earlier start. With a real account somebody has to look, first.
      this.#logger.warn(
        'Some of a customer could not be deleted at Berbix: it belongs to another account, such as a sandbox of an earlier start.',
      );
      await firstValueFrom(this.tokens.forget({ customerUid }));
    }
    await this.verifications.remove(customerUid);
  }

  /** Noted before the customer can go on, so that no webhook comes earlier. */
  async #noted(
    customerUid: string,
    begun: Observable<VerificationStartDto>,
  ): Promise<VerificationStartDto> {
    const start = await firstValueFrom(begun);
    if (start.transactionId !== undefined) {
      await this.verifications.begun(customerUid, start.transactionId);
    }
    return start;
  }

  /** A webhook can get lost, and a process end between two steps. */
  async #catchUp(customerUid: string): Promise<void> {
    const { status, transaction } = await firstValueFrom(this.berbix.result(customerUid));
    if (transaction === undefined) return;
    await this.verifications.begun(customerUid, transaction.id);
    await this.verifications.setMissingStatus(transaction.id, status);
  }
}
