import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { BerbixExceptionFilter, BerbixModule, berbixConfig } from 'nestjs-berbix';
import { DatabaseModule } from './database/database.module.js';
import { VerificationsModule } from './verifications/verifications.module.js';

/** The whole backend. Berbix is configured by `BERBIX_API_SECRET`, in the environment or in `.env`. */
@Module({
  imports: [
    ConfigModule.forRoot(),
    BerbixModule.forRootAsync({ ...berbixConfig.asProvider(), isGlobal: true }),
    DatabaseModule,
    VerificationsModule,
  ],
  // What goes wrong at Berbix becomes a fitting status and a sentence without secrets.
  providers: [{ provide: APP_FILTER, useClass: BerbixExceptionFilter }],
})
export class AppModule {}
