import { describe, expect, it } from '@jest/globals';
import { VERSION_NEUTRAL, VersioningType, type INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sampleWebhookBody } from 'nestjs-berbix/testing';
import {
  BerbixWebhookService,
  createBerbixWebhookController,
  type BerbixWebhookControllerOptions,
} from '../../lib/webhooks/index.js';
import { PLATFORMS } from '../support/platforms.js';
import { BODY, Mailer, calls, signed } from './support/mailer.js';
import { post, startApp, type AppParts } from './support/webhook-app.js';

function start(parts: AppParts, options: BerbixWebhookControllerOptions = {}) {
  return startApp({
    providers: [Mailer],
    controllers: [createBerbixWebhookController(options)],
    ...parts,
  });
}

/** Lets an application of either platform parse JSON by itself. */
function parseBy(
  app: INestApplication,
  keep: (request: { rawBody?: unknown }, bytes: Buffer) => unknown,
): void {
  if (app.getHttpAdapter().getType() === 'fastify') {
    const parser: Parameters<NestFastifyApplication['useBodyParser']>[2] = (request, body, done) =>
      done(null, keep(request as never, body as Buffer));
    (app as NestFastifyApplication).useBodyParser('application/json', {}, parser);
    return;
  }
  (app as NestExpressApplication).useBodyParser('raw', { type: 'application/json' });
  app.use((request: { body: unknown; rawBody?: unknown }, _: unknown, next: () => void) => {
    request.body = keep(request, request.body as Buffer);
    next();
  });
}

describe.each(PLATFORMS)('an application on %s with its own JSON parser', (platform) => {
  it.each<[string, Parameters<typeof parseBy>[1]]>([
    ['leaves the bytes in the body', (__, bytes) => bytes],
    [
      'keeps the bytes as a string',
      (request, bytes) => {
        request.rawBody = bytes.toString();
        return JSON.parse(bytes.toString()) as unknown;
      },
    ],
  ])('accepts webhooks if it %s', async (__, keep) => {
    const { url } = await start({
      platform,
      rawBody: false,
      configure: (app) => parseBy(app, keep),
    });
    const hook = `${url}/webhooks/berbix/finished`;
    expect((await post(hook, BODY, signed('status'))).status).toBe(401);
    expect((await post(hook, `${BODY} `, signed('finished'))).status).toBe(401);
    expect(calls).toEqual([]);
    expect((await post(hook, BODY, signed('finished'))).status).toBe(204);
    expect(calls).toContain('mailer: ada accept');
  });
});

describe('BerbixWebhookService', () => {
  it('accepts the bytes as a string', async () => {
    const { module } = await start({});
    const service = module.get(BerbixWebhookService, { strict: false });
    const rawBody = sampleWebhookBody({ customerUid: 'Zoë 🙂' });
    const request = { kind: 'status', header: signed('status', rawBody), rawBody } as const;
    expect(await service.verify(request)).toHaveProperty('customerUid', 'Zoë 🙂');
    await expect(service.verify({ ...request, rawBody: rawBody.trim() })).rejects.toHaveProperty(
      'code',
      'BERBIX_WEBHOOK_SIGNATURE',
    );
  });
});

describe.each(PLATFORMS)('createBerbixWebhookController with versioning on %s', (platform) => {
  const versioned = (app: INestApplication): void => {
    app.setGlobalPrefix('api');
    app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
  };

  it.each<[BerbixWebhookControllerOptions, string[], string[]]>([
    [{}, ['/api/v2'], ['/api', '/api/v1', '']],
    [{ version: VERSION_NEUTRAL }, ['/api'], ['/api/v2', '']],
    [{ version: ['1', VERSION_NEUTRAL] }, ['/api', '/api/v1'], ['/api/v2']],
  ])('by the URL: %j', async (options, there, missing) => {
    const { url } = await start({ platform, configure: versioned }, options);
    const statusAt = async (prefix: string) =>
      (await post(`${url}${prefix}/webhooks/berbix/finished`, BODY, signed('finished'))).status;
    for (const prefix of there) expect([prefix, await statusAt(prefix)]).toEqual([prefix, 204]);
    for (const prefix of missing) expect([prefix, await statusAt(prefix)]).toEqual([prefix, 404]);
  });

  it('by a header, which Berbix does not send, needs VERSION_NEUTRAL', async () => {
    const configure = (app: INestApplication): void =>
      void app.enableVersioning({
        type: VersioningType.HEADER,
        header: 'x-v',
        defaultVersion: '2',
      });
    const statusFor = async (options: BerbixWebhookControllerOptions) => {
      const { url } = await start({ platform, configure }, options);
      return (await post(`${url}/webhooks/berbix/finished`, BODY, signed('finished'))).status;
    };
    expect(await statusFor({})).toBe(404);
    expect(await statusFor({ version: VERSION_NEUTRAL })).toBe(204);
  });
});
