import { Injectable, Logger } from '@nestjs/common';
import { type BerbixWebhookDto, OnBerbixWebhook } from 'nestjs-berbix';
import { VerificationsService } from './verifications.service.js';

/**
 * The webhooks of Berbix. They may come late, twice or in another order, so each only says that it
 * is time to read the result. If a handler throws, Berbix may send the webhook again.
 */
@Injectable()
export class VerificationsHooks {
  readonly #logger = new Logger(VerificationsHooks.name);

  constructor(private readonly verifications: VerificationsService) {}

  @OnBerbixWebhook('finished')
  finished({ transactionId }: BerbixWebhookDto): void {
    this.#logger.log(`The customer has finished transaction ${transactionId}.`);
  }

  @OnBerbixWebhook('status')
  async determined({ customerUid, transactionId }: BerbixWebhookDto): Promise<void> {
    await this.verifications.update(customerUid, transactionId);
    this.#logger.log(`The status of transaction ${transactionId} was updated.`);
  }
}
