import { describe, expect, it, jest } from '@jest/globals';
import {
  ConflictException,
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
  type Type,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { BerbixGoneError, BerbixInputError } from 'nestjs-berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { EMPTY, delay, from, tap, throwError, type Observable } from 'rxjs';
import { EventBus } from '../../lib/events/index.js';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import {
  BerbixWebhookService,
  OnBerbixWebhook,
  createBerbixWebhookController,
  type BerbixWebhookControllerOptions,
  type BerbixWebhookDto,
} from '../../lib/webhooks/index.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { BODY, Mailer, calls, signed } from './support/mailer.js';
import { SECRETS, post, startApp, webhookModule, type AppParts } from './support/webhook-app.js';

@Controller('users')
class UsersController {
  @Get()
  @OnBerbixWebhook('status')
  status(): void {
    calls.push('controller');
  }
}

describe.each(PLATFORMS)('createBerbixWebhookController on %s', (platform) => {
  function start(
    options: BerbixWebhookControllerOptions = {},
    { providers = [Mailer], ...parts }: Partial<AppParts> = {},
    controllers: Type[] = [],
  ) {
    calls.length = 0;
    return startApp({
      platform,
      imports: [webhookModule(SECRETS)],
      controllers: [createBerbixWebhookController(options), ...controllers],
      providers,
      ...parts,
    });
  }

  it('calls every handler with what the sandbox sends', async () => {
    const { url } = await start({}, {}, [UsersController]);
    const hook = (kind: 'finished' | 'status') => ({
      url: `${url}/webhooks/berbix/${kind}`,
      secret: SECRETS[kind],
    });
    const sandbox = await startSandbox({
      webhooks: { finished: hook('finished'), status: hook('status') },
    });
    const finished = await sandbox.webhooks.sendTest('finished');
    expect(finished).toMatchObject({ delivered: true, status: 204, attempts: 1 });
    expect(calls.toSorted()).toEqual(['both: finished', 'mailer: unique-uid test-action']);
    calls.length = 0;
    expect(await sandbox.webhooks.sendTest('status')).toMatchObject({ delivered: true });
    expect(calls.toSorted()).toEqual(['both: status', 'controller']);
  });

  it('is below the given path, and the global prefix', async () => {
    const { url } = await start(
      { path: 'in', finishedPath: 'f', statusPath: 's/t' },
      { configure: (app) => app.setGlobalPrefix('api') },
    );
    expect((await post(`${url}/api/in/f`, BODY, signed('finished'))).status).toBe(204);
    expect((await post(`${url}/api/in/s/t`, BODY, signed('status'))).status).toBe(204);
    expect((await post(`${url}/in/f`, BODY, signed('finished'))).status).toBe(404);
    expect((await post(`${url}/api/in/f`, BODY, signed('status'))).status).toBe(401);
  });

  it('is a new class each time, with its own decorators', async () => {
    const Public = () => SetMetadata('public', true);
    @Injectable()
    class SignedIn implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        return Reflect.getMetadata('public', context.getClass()) === true;
      }
    }
    @Module({ providers: [{ provide: APP_GUARD, useClass: SignedIn }] })
    class AuthModule {}
    const closed = createBerbixWebhookController({ path: 'closed' });
    const { url } = await start(
      { path: 'open', decorators: [Public()] },
      { imports: [webhookModule(SECRETS), { module: AuthModule }] },
      [closed],
    );
    expect((await post(`${url}/open/finished`, BODY, signed('finished'))).status).toBe(204);
    expect((await post(`${url}/closed/finished`, BODY, signed('finished'))).status).toBe(403);
    expect((await post(`${url}/open/finished`, BODY, signed('status'))).status).toBe(401);
  });

  it('works beside that of another account', async () => {
    @Injectable()
    class EuMailer {
      @OnBerbixWebhook('finished', 'eu')
      mail({ customerUid }: BerbixWebhookDto): void {
        calls.push(`eu: ${customerUid}`);
      }

      @OnBerbixWebhook('status', 'eu')
      note(): void {
        calls.push('eu: status');
      }
    }
    const store = new InMemoryTokenStore();
    const { url } = await start(
      { path: 'one' },
      {
        imports: [
          webhookModule({ finished: 'whs_eu', status: 'whs_eu_status' }, store, 'eu'),
          webhookModule(SECRETS, store),
        ],
        providers: [Mailer, EuMailer],
      },
      [createBerbixWebhookController({ path: 'eu', account: 'eu' })],
    );
    const eu = signBerbixWebhook({ secret: 'whs_eu', body: BODY });
    expect((await post(`${url}/eu/finished`, BODY, eu)).status).toBe(204);
    expect(calls).toEqual(['eu: ada']);
    expect((await post(`${url}/one/finished`, BODY, eu)).status).toBe(401);
    expect((await post(`${url}/one/finished`, BODY, signed('finished'))).status).toBe(204);
    expect(calls).toContain('mailer: ada accept');
    expect(calls).toHaveLength(3);
    const euStatus = signBerbixWebhook({ secret: 'whs_eu_status', body: BODY });
    expect((await post(`${url}/eu/status`, BODY, signed('status'))).status).toBe(401);
    expect((await post(`${url}/eu/status`, BODY, euStatus)).status).toBe(204);
    expect(calls.slice(3)).toEqual(['eu: status']);
  });

  it.each([
    ['an error', () => new Error('no disk')],
    ['an HTTP exception of its own', () => new ConflictException('mine')],
    ['an error of Berbix', () => new BerbixGoneError('gone')],
    ['no error at all', () => 'a word'],
    ['an object without a text', () => Object.create(null)],
  ])('fails if a handler throws %s, and the webhook is sent again', async (__, makeError) => {
    let failures = 2;
    @Injectable()
    class Failing {
      @OnBerbixWebhook('finished')
      async fail(): Promise<void> {
        calls.push('failing');
        if (failures-- > 0) throw makeError();
      }
    }
    const { url, logs } = await start({}, { providers: [Failing, Mailer] });
    const webhooks = {
      finished: { url: `${url}/webhooks/berbix/finished`, secret: SECRETS.finished },
      retryDelayMs: 1,
    };
    const sandbox = await startSandbox({ webhooks });
    const sent = await sandbox.webhooks.sendTest('finished');
    expect(sent).toMatchObject({ delivered: true, attempts: 3, status: 204 });
    expect(calls.filter((call) => call === 'failing')).toHaveLength(3);
    expect(calls.filter((call) => call.startsWith('mailer'))).toHaveLength(3);
    expect(logs).toHaveLength(2);
    for (const line of logs) {
      expect(line).toMatch(
        'error: Failing.fail failed on a finished webhook of transaction 1234123412341234: ',
      );
    }
  });

  it('awaits an Observable of a handler, and its failure', async () => {
    const answers = [
      throwError(() => new Error('no disk')),
      EMPTY,
      from(['first', 'last']).pipe(
        delay(1),
        tap((part) => void calls.push(part)),
      ),
    ];
    @Injectable()
    class Streaming {
      @OnBerbixWebhook('finished')
      stream(): Observable<unknown> {
        return answers.shift() as Observable<unknown>;
      }
    }
    const { url, logs } = await start({}, { providers: [Streaming] });
    const send = async (action: string): Promise<number> => {
      const body = sampleWebhookBody({ action });
      return (await post(`${url}/webhooks/berbix/finished`, body, signed('finished', body))).status;
    };
    expect(await send('one')).toBe(500);
    expect(logs.filter((line) => line.startsWith('error:'))).toEqual([
      expect.stringContaining('Error: no disk'),
    ]);
    expect(await send('one')).toBe(204);
    expect(await send('two')).toBe(204);
    expect(calls).toEqual(['first', 'last']);
  });

  it('answers 500 without the errors of handlers, and logs each, even if it throws synchronously', async () => {
    @Injectable()
    class Failing {
      @OnBerbixWebhook('finished')
      fail(): void {
        throw new ConflictException('mine');
      }

      @OnBerbixWebhook('finished')
      async reject(): Promise<void> {
        throw new Error('no disk');
      }
    }
    const { url, logs } = await start({}, { providers: [Failing] });
    const answer = await post(`${url}/webhooks/berbix/finished`, BODY, signed('finished'));
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toEqual({ statusCode: 500, message: 'Internal Server Error' });
    expect(logs.filter((line) => line.startsWith('error:'))).toEqual([
      expect.stringContaining('Failing.fail failed'),
      expect.stringContaining('Failing.reject failed'),
    ]);
  });

  it('fails for callers of handle() with the first error, and logs each with its stack', async () => {
    @Injectable()
    class Failing {
      @OnBerbixWebhook('finished')
      fail(): void {
        throw new RangeError('the first');
      }

      @OnBerbixWebhook('finished')
      failToo(): void {
        throw new TypeError('the second');
      }
    }
    const { module } = await start({}, { providers: [Failing] });
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    try {
      const webhooks = module.get(BerbixWebhookService, { strict: false });
      const header = signed('finished');
      const webhook = await webhooks.verify({ kind: 'finished', header, rawBody: BODY });
      await expect(webhooks.handle(webhook)).rejects.toThrow(new RangeError('the first'));
      const stacks = errors.mock.calls.map(([, stack]) => String(stack).split('\n')[0]);
      expect(stacks).toEqual(['RangeError: the first', 'TypeError: the second']);
    } finally {
      errors.mockRestore();
    }
  });

  it('works with pipes that validate everything', async () => {
    const { url } = await start(
      {},
      {
        configure: (app) =>
          app.useGlobalPipes(
            new ValidationPipe({
              whitelist: true,
              forbidNonWhitelisted: true,
              validateCustomDecorators: true,
              transform: true,
            }),
          ),
      },
    );
    expect((await post(`${url}/webhooks/berbix/finished`, BODY, signed('finished'))).status).toBe(
      204,
    );
    expect(calls).toContain('mailer: ada accept');
  });

  it('answers 503 if the store fails, and runs no handler', async () => {
    class Broken extends InMemoryTokenStore {
      override async load(): Promise<never> {
        throw new Error('password is in here');
      }
    }
    const { url, logs } = await start({}, { imports: [webhookModule(SECRETS, new Broken())] });
    const answer = await post(`${url}/webhooks/berbix/finished`, BODY, signed('finished'));
    expect(answer.status).toBe(503);
    expect(calls).toEqual([]);
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatch(
      /^error: A finished webhook is refused for now: The token store \(the memory of this/,
    );
    expect(logs[0]).not.toContain('password');
  });
});

describe('a status webhook without an action', () => {
  it('is handled, and is no decision', async () => {
    const { module } = await startApp({ providers: [Mailer] });
    const kinds: string[] = [];
    module.get(EventBus, { strict: false }).listen(({ kind }) => kinds.push(kind));
    const webhooks = module.get(BerbixWebhookService, { strict: false });
    const rawBody = sampleWebhookBody({ action: '' });
    const header = signed('status', rawBody);
    const webhook = await webhooks.verify({ kind: 'status', header, rawBody });
    expect(await webhooks.handle(webhook)).toBe('handled');
    await until(() => kinds.includes('webhook.handled'));
    expect(kinds).toEqual(['webhook.accepted', 'webhook.handled']);
  });
});

describe('handle()', () => {
  const EXPECTED = 'handle() takes a webhook from verify() or @BerbixWebhook().';

  it.each([
    [undefined, `${EXPECTED} The argument cannot be read (TypeError).`],
    ['a text', EXPECTED],
    [{ kind: 'status' }, EXPECTED],
    [{ kind: 'status', transactionId: 7 }, EXPECTED],
    [{ kind: 'done', transactionId: '7' }, EXPECTED],
    [{ transactionId: '7' }, EXPECTED],
  ])('refuses %j', async (webhook, message) => {
    const { module } = await startApp({ providers: [Mailer] });
    calls.length = 0;
    const webhooks = module.get(BerbixWebhookService, { strict: false });
    await expect(webhooks.handle(webhook as never)).rejects.toThrow(new BerbixInputError(message));
    expect(calls).toEqual([]);
  });
});

describe('createBerbixWebhookController', () => {
  it('refuses an unknown option', () => {
    expect(() => createBerbixWebhookController({ route: 'x' } as never)).toThrow(
      'createBerbixWebhookController has no option named "route". It takes path, finishedPath,',
    );
  });
});
