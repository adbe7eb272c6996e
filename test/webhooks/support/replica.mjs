// A replica that receives webhooks and never finishes handling them, for a test that kills it.
// Arguments: postgres or redis, URL of the server, name of the table or prefix of the keys, and the
// options of the webhooks as JSON.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { BerbixModule, OnBerbixWebhook, createBerbixWebhookController } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import pg from 'pg';

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
  imports: [
    BerbixModule.forRoot({
      apiSecret: 'secret_test_replica',
      webhooks: JSON.parse(options),
      store,
    }),
  ],
  controllers: [createBerbixWebhookController()],
  providers: [Handler],
})(Replica);

const app = await NestFactory.create(Replica, { rawBody: true, logger: false });
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
process.on('disconnect', () => process.exit());
