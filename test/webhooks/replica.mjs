// A replica that takes webhooks and never ends its work on them; for a test that kills it.
// Arguments: postgres or redis, URL of the server, name of the table or prefix of the keys.
import { Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import pg from 'pg';
import { CheckedStore } from '../../dist/esm/token-store/index.js';
import { PostgresTokenStore } from '../../dist/esm/token-store/postgres/index.js';
import { RedisTokenStore } from '../../dist/esm/token-store/redis/index.js';
import {
  BERBIX_WEBHOOK_SETTINGS,
  OnBerbixWebhook,
  WebhookSettings,
  createBerbixWebhookController,
  webhookProviders,
} from '../../dist/esm/webhooks/index.js';

const [server, url, place, options] = process.argv.slice(2);
const store =
  server === 'postgres'
    ? new PostgresTokenStore(new pg.Pool({ connectionString: url }), { table: place })
    : new RedisTokenStore(new Redis(url), { prefix: place });

class Handler {
  handle() {
    console.log('handling');
    return new Promise(() => {});
  }
}
const method = Object.getOwnPropertyDescriptor(Handler.prototype, 'handle');
OnBerbixWebhook('finished')(Handler.prototype, 'handle', method);

class Replica {}
Module({
  imports: [DiscoveryModule],
  controllers: [createBerbixWebhookController()],
  providers: [
    Handler,
    { provide: BERBIX_WEBHOOK_SETTINGS, useValue: new WebhookSettings(JSON.parse(options)) },
    { provide: CheckedStore, useFactory: () => new CheckedStore(store, 1_500) },
    ...webhookProviders(undefined),
  ],
})(Replica);

const app = await NestFactory.create(Replica, { rawBody: true, logger: false });
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
process.on('disconnect', () => process.exit());
