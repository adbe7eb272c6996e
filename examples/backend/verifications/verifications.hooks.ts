import { Inject, Injectable, Logger } from '@nestjs/common';
import { type BerbixWebhookDto, OnBerbixWebhook } from 'nestjs-berbix';
import { VerificationsService } from './verifications.service.js';

/**
 * What Berbix tells by webhook. They come late, twice and in any order, so they say when to look, and
 * not what is true. A handler that throws makes Berbix send it again.
 */
@Injectable()
export class VerificationsHooks {
  readonly #logger = new Logger(VerificationsHooks.name);

  constructor(@Inject(VerificationsService) private readonly verifications: VerificationsService) {}

  @OnBerbixWebhook('finished')
  finished({ transactionId }: BerbixWebhookDto): void {
    this.#logger.log(`The customer has finished transaction ${transactionId}.`);
  }

  @OnBerbixWebhook('status')
  async determined({ customerUid, transactionId }: BerbixWebhookDto): Promise<void> {
    await this.verifications.update(customerUid, transactionId);
    this.#logger.log(`There is news of transaction ${transactionId}.`);
  }
}
