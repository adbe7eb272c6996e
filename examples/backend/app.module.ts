import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { BerbixExceptionFilter, BerbixModule, berbixConfig } from 'nestjs-berbix';
import { BerbixOptions } from './berbix/berbix-options.js';
import { TokenStoreModule } from './berbix/token-store.module.js';
import { webhooksConfig } from './berbix/webhooks.config.js';
import { VerificationsModule } from './verifications/verifications.module.js';

/**
 * The whole backend, configured by the environment or `.env`. Create the application with
 * `rawBody: true`: the signature of a webhook covers the bytes of its body.
 */
@Module({
  imports: [
    ConfigModule.forRoot(),
    BerbixModule.forRootAsync({
      imports: [
        ConfigModule.forFeature(berbixConfig),
        ConfigModule.forFeature(webhooksConfig),
        TokenStoreModule,
      ],
      useClass: BerbixOptions,
      isGlobal: true,
    }),
    VerificationsModule,
  ],
  // Turns errors of Berbix into a suitable status and a message without secrets.
  providers: [{ provide: APP_FILTER, useClass: BerbixExceptionFilter }],
})
export class AppModule {}
