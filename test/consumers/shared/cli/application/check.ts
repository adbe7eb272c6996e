// Starts the application on each platform, with a global prefix and each kind of versioning, and
// uses it as a browser and Berbix would.
import { deepEqual, equal } from 'node:assert/strict';
import { VersioningType, type INestApplication, type VersioningOptions } from '@nestjs/common';
import {
  ContextIdFactory,
  NestFactory,
  type ContextId,
  type HostComponentInfo,
} from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import {
  ApplicationModule,
  Results,
  TokensOfRequest,
  TokensOfTenant,
} from './application.module.js';

const VERSIONINGS = {
  uri: { type: VersioningType.URI, defaultVersion: '1' },
  header: { type: VersioningType.HEADER, header: 'x-api-version', defaultVersion: '1' },
} as const satisfies Record<string, VersioningOptions>;
type Versioning = keyof typeof VERSIONINGS;

/** Durable providers live as long as their tenant. */
const contexts = new Map<string, ContextId>();
ContextIdFactory.apply({
  attach(ofRequest: ContextId, { headers }: { headers: Record<string, string | undefined> }) {
    const tenant = headers['x-tenant'];
    if (tenant === undefined) return undefined;
    const ofTenant = contexts.get(tenant) ?? ContextIdFactory.create();
    contexts.set(tenant, ofTenant);
    return {
      resolve: ({ isTreeDurable }: HostComponentInfo) => (isTreeDurable ? ofTenant : ofRequest),
      payload: { tenant },
    };
  },
});

async function check(adapter: ExpressAdapter | FastifyAdapter, versioning: Versioning) {
  const sandbox = await BerbixSandbox.start();
  process.env['BERBIX_TEMPLATE_KEY'] = sandbox.templateKeys.sdk;
  const module = ApplicationModule.with({
    apiSecret: sandbox.apiSecret,
    apiHost: sandbox.url,
    webhooks: { finished: sandbox.webhookSecrets.finished },
  });
  const app: INestApplication = await NestFactory.create(module, adapter, {
    rawBody: true,
    logger: ['error'],
  });
  app.setGlobalPrefix('api');
  app.enableVersioning(VERSIONINGS[versioning]);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  sandbox.webhooks.setUrl('finished', `${url}/api/webhooks/berbix/finished`);

  const request = (path: string, headers: Record<string, string>, method = 'GET', version = '1') =>
    versioning === 'uri'
      ? fetch(`${url}/api/v${version}/${path}`, { method, headers })
      : fetch(`${url}/api/${path}`, { method, headers: { ...headers, 'x-api-version': version } });
  const json = async (response: Promise<Response>): Promise<unknown> => (await response).json();
  const user = { 'x-user': 'ada' };

  const begun = (await json(request('verification', user, 'POST'))) as { clientToken: string };
  equal(typeof begun.clientToken, 'string');
  const [transaction] = await sandbox.transactions.list();
  const id = transaction?.id ?? '';
  for (const path of ['verification/guarded', 'request', 'request/guarded']) {
    deepEqual(await json(request(path, user)), { id });
    equal((await request(path, {})).status, 403);
    equal((await request(path, user, 'GET', '2')).status, 404);
  }
  contexts.clear();
  TokensOfTenant.tenants.length = 0;
  for (const tenant of ['a', 'b', 'a', 'b']) {
    deepEqual(await json(request('tenant', { 'x-tenant': tenant })), { id, tenant });
  }

  // One service for all of them, which exchanges nothing while tokens are fresh.
  equal(TokensOfRequest.users.size, 1);
  equal(TokensOfRequest.created > 2, true);
  deepEqual(TokensOfTenant.tenants, ['a', 'b']);
  const paths = Array.from(sandbox.requests, ({ path }) => path);
  deepEqual(paths, ['/v0/transactions']);

  await sandbox.transactions.complete(id, { action: 'accept' });
  await sandbox.webhooks.settled();
  deepEqual(app.get(Results).customers, ['ada']);

  TokensOfRequest.users.clear();
  await app.close();
  await sandbox.close();
}

async function main(): Promise<void> {
  for (const versioning of ['uri', 'header'] as const) {
    await check(new ExpressAdapter(), versioning);
    await check(new FastifyAdapter(), versioning);
  }
}

void main();
