import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebhooksModule } from './webhooks.module.js';

/** Signatures are of the bytes as they came, which Nest keeps if it is told to. */
export function createApp(): Promise<INestApplication> {
  return NestFactory.create(WebhooksModule, { rawBody: true });
}
