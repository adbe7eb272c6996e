import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { DatabaseModule } from '../database/database.module.js';
import { verificationsConfig } from './verifications.config.js';
import { VerificationsController } from './verifications.controller.js';
import { VerificationsRepository } from './verifications.repository.js';
import { VerificationsService } from './verifications.service.js';

@Module({
  imports: [ConfigModule.forFeature(verificationsConfig), DatabaseModule],
  controllers: [VerificationsController],
  providers: [VerificationsService, VerificationsRepository],
})
export class VerificationsModule {}
