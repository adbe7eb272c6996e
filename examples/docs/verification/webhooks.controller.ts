import { Controller, HttpCode, Post, ServiceUnavailableException, UseGuards } from '@nestjs/common';
import {
  BerbixWebhook,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  type BerbixWebhookDto,
} from 'nestjs-berbix';

@Controller('hooks')
export class HooksController {
  constructor(private readonly webhooks: BerbixWebhookService) {}

  @Post('finished')
  @HttpCode(204)
  @UseGuards(BerbixWebhookGuard)
  @BerbixWebhookKind('finished')
  async finished(@BerbixWebhook() webhook: BerbixWebhookDto): Promise<void> {
    const outcome = await this.webhooks.handle(webhook);
    // So that Berbix sends it again.
    if (outcome === 'busy') throw new ServiceUnavailableException();
  }
}
