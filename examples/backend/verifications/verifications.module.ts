import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { createBerbixWebhookController } from 'nestjs-berbix';
import { DatabaseModule } from '../database/database.module.js';
import { verificationsConfig } from './verifications.config.js';
import { VerificationsController } from './verifications.controller.js';
import { VerificationsHooks } from './verifications.hooks.js';
import { VerificationsRepository } from './verifications.repository.js';
import { VerificationsService } from './verifications.service.js';

@Module({
  imports: [ConfigModule.forFeature(verificationsConfig), DatabaseModule],
  controllers: [
    VerificationsController,
    // POST /webhooks/berbix/finished and /status. They need no login: their signature is checked.
    createBerbixWebhookController(),
  ],
  providers: [VerificationsService, VerificationsRepository, VerificationsHooks],
})
export class VerificationsModule {}
