import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, jest } from '@jest/globals';
import { Body, Controller, Get, Post, UseGuards, ValidationPipe } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { BerbixSandbox, WebhookFault } from 'nestjs-berbix/sandbox';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import {
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  type BerbixWebhookOptions,
} from '../../lib/webhooks/index.js';
import { errorOf } from '../support/errors.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox } from '../support/services.js';
import {
  SECRETS,
  withFakeTimeouts,
  post,
  startApp,
  webhookModule,
  type WebhookApp,
} from './support/webhook-app.js';

let taken: BerbixWebhookDto[];

@Controller('hooks')
@UseGuards(BerbixWebhookGuard)
class HooksController {
  @Post('finished')
  @BerbixWebhookKind('finished')
  finished(@BerbixWebhook() webhook: BerbixWebhookDto, @Body() body: object): string {
    taken.push(webhook);
    return Object.keys(body).join();
  }

  @Post('status')
  @BerbixWebhookKind('status')
  status(@BerbixWebhook() webhook: BerbixWebhookDto): void {
    taken.push(webhook);
  }

  @Post('no-kind')
  noKind(): void {}

  @Post('eu')
  @BerbixWebhookKind('finished', 'eu')
  eu(@BerbixWebhook() webhook: BerbixWebhookDto): void {
    taken.push(webhook);
  }
}

@Controller('whole')
@UseGuards(BerbixWebhookGuard)
@BerbixWebhookKind('status')
class StatusController {
  @Post()
  take(@BerbixWebhook() webhook: BerbixWebhookDto): void {
    taken.push(webhook);
  }

  @Post('finished')
  @BerbixWebhookKind('finished')
  finished(@BerbixWebhook() webhook: BerbixWebhookDto): void {
    taken.push(webhook);
  }
}

@Controller('unguarded')
class UnguardedController {
  @Get()
  take(@BerbixWebhook() webhook: BerbixWebhookDto): BerbixWebhookDto {
    return webhook;
  }
}

const BODY = sampleWebhookBody({ customerUid: 'Zoë', action: 'accept' });
const FINISHED = signBerbixWebhook({ secret: SECRETS.finished, body: BODY });

describe.each(PLATFORMS)('BerbixWebhookGuard on %s', (platform) => {
  function start(
    options: BerbixWebhookOptions | undefined = SECRETS,
    parts: Partial<Parameters<typeof startApp>[0]> = {},
  ): Promise<WebhookApp> {
    taken = [];
    return startApp({
      platform,
      imports: [webhookModule(options)],
      controllers: [HooksController, StatusController, UnguardedController],
      ...parts,
    });
  }

  /** A sandbox whose webhooks go to the application. */
  async function sandboxFor({ url }: WebhookApp): Promise<BerbixSandbox> {
    const hook = (kind: 'finished' | 'status') => ({
      url: `${url}/hooks/${kind}`,
      secret: SECRETS[kind],
    });
    const webhooks = { finished: hook('finished'), status: hook('status'), retryDelayMs: 1 };
    return startSandbox({ webhooks });
  }

  it('accepts what the sandbox sends, and passes it to the handler', async () => {
    const sandbox = await sandboxFor(await start());
    for (const kind of ['finished', 'status'] as const) {
      const sent = await sandbox.webhooks.sendTest(kind);
      expect(sent).toMatchObject({ delivered: true, attempts: 1, status: 201 });
      expect(taken.at(-1)).toBeInstanceOf(BerbixWebhookDto);
      expect(taken.at(-1)).toMatchObject({ kind, customerUid: 'unique-uid', others: {} });
    }
  });

  it.each<[WebhookFault, string]>([
    ['unsigned', 'has no signature'],
    ['forged', 'matches none of the secrets'],
    ['late', 'signed more than 300000 ms ago'],
  ])('refuses a webhook that is %s, five times', async (fault, reason) => {
    const app = await start();
    const sandbox = await sandboxFor(app);
    sandbox.webhooks.failNext(fault);
    const sent = await sandbox.webhooks.sendTest('finished');
    expect(sent).toMatchObject({ delivered: false, attempts: 5, status: 401 });
    expect(taken).toEqual([]);
    expect(app.logs).toHaveLength(5);
    for (const line of app.logs) expect(line).toMatch(`warn: The webhook`);
    for (const line of app.logs) expect(line).toMatch(reason);
  });

  it('accepts both secrets while one is changed', async () => {
    const app = await start({ finished: ['whs_test_next', SECRETS.finished] });
    const sandbox = await sandboxFor(app);
    expect(await sandbox.webhooks.sendTest('finished')).toMatchObject({ delivered: true });
    const header = signBerbixWebhook({ secret: 'whs_test_next', body: BODY });
    expect((await post(`${app.url}/hooks/finished`, BODY, header)).status).toBe(201);
  });

  it('says nothing to the caller, and only the reason in the log', async () => {
    const app = await start();
    const [, timestamp, hex] = FINISHED.split(',');
    const cases: [string | Buffer, string | string[] | undefined, number][] = [
      [BODY, undefined, 401],
      [BODY, '', 401],
      [BODY, [FINISHED, FINISHED], 401],
      [BODY, `v0,${timestamp}`, 401],
      [BODY, `v0,${Number(timestamp) + 1},${hex}`, 401],
      [`${BODY} `, FINISHED, 401],
      [JSON.stringify(JSON.parse(BODY)), FINISHED, 401],
      ['[]', signBerbixWebhook({ secret: SECRETS.finished, body: '[]' }), 400],
      ['{}', signBerbixWebhook({ secret: SECRETS.finished, body: '{}' }), 400],
    ];
    for (const [body, header, status] of cases) {
      const answer = await post(`${app.url}/hooks/finished`, body, header);
      expect(JSON.parse(answer.body)).toEqual({
        statusCode: status,
        message: status === 401 ? 'Unauthorized' : 'Bad Request',
      });
    }
    expect(app.logs).toHaveLength(cases.length);
    expect(app.logs.every((line) => line.startsWith('warn: The webhook'))).toBe(true);
    const log = app.logs.join('\n');
    for (const hidden of [SECRETS.finished, 'Zoë', hex as string])
      expect(log).not.toContain(hidden);
    expect(taken).toEqual([]);
  });

  it('distinguishes the two webhooks', async () => {
    const app = await start();
    expect((await post(`${app.url}/hooks/status`, BODY, FINISHED)).status).toBe(401);
    expect((await post(`${app.url}/whole`, BODY, FINISHED)).status).toBe(401);
    const header = signBerbixWebhook({ secret: SECRETS.status, body: BODY });
    expect((await post(`${app.url}/whole`, BODY, header)).status).toBe(201);
    // The decorator of a handler comes before that of its class.
    expect((await post(`${app.url}/whole/finished`, BODY, FINISHED)).status).toBe(201);
    expect(taken).toMatchObject([{ kind: 'status' }, { kind: 'finished' }]);
  });

  it('passes the body to the route', async () => {
    const app = await start();
    const answer = await post(`${app.url}/hooks/finished`, BODY, FINISHED);
    expect(answer.body).toBe('transaction_id,customer_uid,action,dashboard_link,id');
  });

  it('logs an error each time that the raw body is missing', async () => {
    const app = await start(SECRETS, { rawBody: false });
    for (const count of [1, 2]) {
      expect((await post(`${app.url}/hooks/finished`, BODY, FINISHED)).status).toBe(401);
      expect(app.logs).toHaveLength(count);
      expect(app.logs.at(-1)).toMatch(
        /^error: .*NestFactory\.create\(AppModule, { rawBody: true }\)/,
      );
    }
  });

  it('logs an error too if the raw body of a webhook in chunks is missing', async () => {
    const app = await start(SECRETS, { rawBody: false });
    const { status } = await fetch(`${app.url}/hooks/finished`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-berbix-signature': FINISHED },
      body: new Blob([BODY]).stream(),
      duplex: 'half',
    });
    expect(status).toBe(401);
    expect(app.logs).toEqual([expect.stringMatching(/^error: .*rawBody: true/)]);
  });

  it('logs that a webhook has no content type', async () => {
    const app = await start(SECRETS, { rawBody: false });
    const { status } = await fetch(`${app.url}/hooks/finished`, {
      method: 'POST',
      headers: { 'x-berbix-signature': FINISHED },
      body: Buffer.from(BODY),
    });
    // Fastify itself rejects it.
    if (status === 415) return expect(app.logs).toEqual([]);
    expect(status).toBe(401);
    expect(app.logs).toEqual([
      expect.stringContaining('has the content type none; Berbix sends application/json.'),
    ]);
  });

  it('knows JSON by its type in any case, and logs the beginning of another type', async () => {
    const app = await start(SECRETS, { rawBody: false });
    await post(`${app.url}/hooks/finished`, BODY, FINISHED, 'Application/JSON; charset=utf-8');
    expect(app.logs).toEqual([expect.stringMatching(/^error: .*rawBody: true/)]);
    const type = `text/${'x'.repeat(200)}`;
    await post(`${app.url}/hooks/finished`, BODY, FINISHED, type);
    if (app.logs.length === 1) return; // Fastify itself rejects it.
    expect(app.logs[1]).toContain(`the content type ${type.slice(0, 80)}; Berbix`);
  });

  it('treats requests without JSON as forgeries, not as a mistake of the application', async (): Promise<void> => {
    const app = await start();
    expect((await post(`${app.url}/hooks/finished`, BODY, FINISHED, 'text/plain')).status).toBe(
      401,
    );
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    // An HTTP client would send a Content-Length of 0.
    socket.write(
      `POST /hooks/finished HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\nx-berbix-signature: ${FINISHED}\r\n\r\n`,
    );
    const answer = await text(socket);
    expect(app.logs[0]).toBe(
      'warn: The webhook has the content type text/plain; Berbix sends application/json. (BERBIX_WEBHOOK_SIGNATURE, see docs/errors.md#berbix_webhook_signature)',
    );
    // Fastify itself rejects it.
    if (answer.startsWith('HTTP/1.1 400 ')) return expect(app.logs).toHaveLength(1);
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(app.logs.slice(1)).toEqual([
      'warn: The webhook has no body. (BERBIX_WEBHOOK_SIGNATURE, see docs/errors.md#berbix_webhook_signature)',
    ]);
  });

  it.each([
    ['no secret', {}, 'finished', 401, 'There is no secret for the finished webhook'],
    ['no options', undefined, 'finished', 401, 'There is no secret for the finished webhook'],
    [
      'no kind',
      SECRETS,
      'no-kind',
      401,
      'HooksController.noKind has BerbixWebhookGuard, but not the kind',
    ],
    [
      'an unknown account',
      SECRETS,
      'eu',
      401,
      'BerbixWebhookGuard needs BerbixModule.forRoot with the account "eu".',
    ],
    [
      'secrets that cannot be read now',
      { finished: () => Promise.reject(new Error('vault is sealed')) },
      'finished',
      503,
      'The function given as webhooks.finished failed (Error)',
    ],
  ])('logs an error if there is %s', async (_name, options, path, status, reason) => {
    const app = await start(undefined, { imports: [webhookModule(options)] });
    expect((await post(`${app.url}/hooks/${path}`, BODY, FINISHED)).status).toBe(status);
    expect(app.logs).toHaveLength(1);
    expect(app.logs[0]).toMatch('error: ');
    expect(app.logs[0]).toContain(reason);
    expect(app.logs[0]).not.toContain('sealed');
  });

  it('logs an error if there are only named accounts', async () => {
    const app = await start(undefined, { imports: [webhookModule(SECRETS, undefined, 'eu')] });
    expect((await post(`${app.url}/hooks/finished`, BODY, FINISHED)).status).toBe(401);
    expect(app.logs.at(-1)).toContain(
      'error: BerbixWebhookGuard needs BerbixModule.forRoot without an account, or an account in @BerbixWebhookKind.',
    );
  });

  it('does not wait forever for secrets', async () => {
    let never: () => Promise<never>;
    const asked = new Promise<void>((resolve) => {
      never = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    const app = await start({ finished: () => never() });
    const { status } = await withFakeTimeouts(async () => {
      const sent = post(`${app.url}/hooks/finished`, BODY, FINISHED);
      await asked;
      jest.advanceTimersByTime(5_000);
      return sent;
    });
    expect(status).toBe(503);
    expect(app.logs).toEqual([
      expect.stringMatching(
        /finished is too slow\. It must return the secrets .* within 5000 ms\./,
      ),
    ]);
  });

  it('separates accounts', async () => {
    const eu = { finished: 'whs_eu' };
    const imports = [webhookModule(eu, undefined, 'eu'), webhookModule(SECRETS)];
    for (const order of [imports, imports.toReversed()]) {
      const app = await start(undefined, { imports: order });
      const header = signBerbixWebhook({ secret: 'whs_eu', body: BODY });
      expect((await post(`${app.url}/hooks/eu`, BODY, header)).status).toBe(201);
      expect((await post(`${app.url}/hooks/finished`, BODY, header)).status).toBe(401);
      expect((await post(`${app.url}/hooks/eu`, BODY, FINISHED)).status).toBe(401);
      expect((await post(`${app.url}/hooks/finished`, BODY, FINISHED)).status).toBe(201);
    }
  });

  it('passes on a webhook that a strict ValidationPipe does not change', async () => {
    const app = await start(SECRETS, {
      configure: (nest) =>
        nest.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true })),
    });
    expect(
      (
        await post(
          `${app.url}/hooks/status`,
          BODY,
          signBerbixWebhook({ secret: SECRETS.status, body: BODY }),
        )
      ).status,
    ).toBe(201);
    expect(taken).toMatchObject([{ customerUid: 'Zoë' }]);
  });

  it('is required by @BerbixWebhook()', async () => {
    const app = await start();
    const response = await fetch(`${app.url}/unguarded`);
    expect(response.status).toBe(500);
    expect(app.logs.join()).toContain('Add @UseGuards(BerbixWebhookGuard) to the route.');
  });
});

describe('BerbixWebhookGuard', () => {
  it('passes on an error that is not of this package, so that it is not taken for a forgery', async () => {
    const mistake = new TypeError('of a service that an application has replaced');
    const service = { verify: () => Promise.reject(mistake) };
    const guard = new BerbixWebhookGuard(new Reflector(), { get: () => service } as never);
    const context = {
      getHandler: () => HooksController.prototype.finished,
      getClass: () => HooksController,
      switchToHttp: () => ({ getRequest: () => ({ headers: {}, rawBody: Buffer.from(BODY) }) }),
    };
    await expect(guard.canActivate(context as never)).rejects.toBe(mistake);
  });
});

describe('BerbixWebhookKind', () => {
  it.each([
    [['done'], "The first argument of @BerbixWebhookKind must be 'finished' or 'status'"],
    [[], "The first argument of @BerbixWebhookKind must be 'finished' or 'status'"],
    [['finished', ''], 'The second argument of @BerbixWebhookKind'],
    [['finished', 7], 'The second argument of @BerbixWebhookKind'],
  ])('refuses %j', async (args, mention) => {
    const error = await errorOf(() => BerbixWebhookKind(...(args as ['finished'])));
    expect(error.message).toContain(mention);
  });
});
