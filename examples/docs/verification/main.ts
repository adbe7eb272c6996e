import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebhooksModule } from './webhooks.module.js';

/** Signatures cover the raw bytes, which Nest keeps with `rawBody`. */
export function createApp(): Promise<INestApplication> {
  return NestFactory.create(WebhooksModule, { rawBody: true });
}
