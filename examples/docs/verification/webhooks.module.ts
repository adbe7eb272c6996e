import { Injectable, Module } from '@nestjs/common';
import {
  BerbixModule,
  BerbixVerificationService,
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookDto,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { Statuses } from './statuses.js';

@Injectable()
export class VerificationHooks {
  constructor(
    private readonly verifications: BerbixVerificationService,
    private readonly statuses: Statuses,
  ) {}

  /** A webhook only says that something changed: fetch the result. */
  @OnBerbixWebhook('finished')
  @OnBerbixWebhook('status')
  async update({ customerUid }: BerbixWebhookDto): Promise<void> {
    const { status } = await firstValueFrom(this.verifications.result(customerUid));
    await this.statuses.set(customerUid, status);
  }
}

@Module({
  imports: [
    BerbixModule.forRootAsync({
      useFactory: () => ({
        apiSecret: process.env['BERBIX_API_SECRET'] ?? '',
        apiHost: process.env['BERBIX_API_HOST'],
        webhooks: {
          finished: process.env['BERBIX_WEBHOOK_FINISHED_SECRET'],
          // While you change the secret in the dashboard: the old one and the new one.
          status: (process.env['BERBIX_WEBHOOK_STATUS_SECRET'] ?? '').split(','),
        },
      }),
    }),
  ],
  controllers: [createBerbixWebhookController({ path: 'webhooks/berbix' })],
  providers: [VerificationHooks, Statuses],
  exports: [BerbixModule],
})
export class WebhooksModule {}
