import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, Scope } from '@nestjs/common';
import { BerbixConfigurationError } from 'nestjs-berbix';
import { OnBerbixWebhook, createBerbixWebhookController } from '../../lib/webhooks/index.js';
import { BODY, Mailer, calls, signed } from './support/mailer.js';
import { SECRETS, post, startApp, webhookModule } from './support/webhook-app.js';

describe('@OnBerbixWebhook', () => {
  it.each([
    ['an unknown kind', () => OnBerbixWebhook('done' as never)],
    ['no kind', () => (OnBerbixWebhook as () => unknown)()],
    ['an empty account', () => OnBerbixWebhook('finished', '')],
    [
      'a static method',
      () => {
        class Wrong {
          @OnBerbixWebhook('finished')
          static handle(): void {}
        }
        return Wrong;
      },
    ],
    [
      'a getter',
      () => {
        class Wrong {
          @OnBerbixWebhook('finished')
          get handle(): string {
            return '';
          }
        }
        return Wrong;
      },
    ],
    [
      'a property',
      () => {
        class Wrong {
          @(OnBerbixWebhook('finished') as PropertyDecorator)
          handle = () => {};
        }
        return Wrong;
      },
    ],
  ])('refuses %s, and names itself', (_, wrong) => {
    expect(wrong).toThrow(BerbixConfigurationError);
    expect(wrong).toThrow('@OnBerbixWebhook');
  });

  it('stops the boot if the class has no single instance', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @OnBerbixWebhook('finished')
      handle(): void {}
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      @OnBerbixWebhook('finished')
      handle(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class Context {}
    @Injectable()
    class Dependent {
      constructor(readonly context: Context) {}

      @OnBerbixWebhook('finished')
      handle(): void {}
    }
    Reflect.defineMetadata('design:paramtypes', [Context], Dependent);
    for (const [providers, message] of [
      [[PerRequest], 'PerRequest.handle cannot handle webhooks: its class is request-scoped'],
      [[Transient], 'Transient.handle cannot handle webhooks: its class is transient'],
      [
        [Dependent, Context],
        'Dependent.handle cannot handle webhooks: its class is request-scoped, or depends on a request-scoped one, so',
      ],
    ] as const) {
      await expect(startApp({ providers: [...providers] })).rejects.toThrow(message);
    }
  });

  it('stops the boot if there is no such account', async () => {
    class Elsewhere {
      @OnBerbixWebhook('finished', 'eu')
      handle(): void {}
    }
    await expect(startApp({ providers: [Elsewhere] })).rejects.toThrow(
      'Elsewhere.handle is for the account "eu", which is not registered.',
    );
    const imports = [webhookModule(SECRETS, undefined, 'us')];
    await expect(startApp({ providers: [Mailer], imports })).rejects.toThrow(
      'is for BerbixModule.forRoot without an account, which is missing.',
    );
  });

  it('says at boot that a handler will never be called', async () => {
    const { logs } = await startApp({
      providers: [Mailer],
      imports: [webhookModule({ finished: 'x' })],
    });
    expect(logs).toEqual([
      'warn: Mailer.both will never be called: there is no secret for the status webhook. Set webhooks.status.',
    ]);
  });

  it('is found once if a provider has two tokens, or if a factory created it', async () => {
    @Module({
      providers: [
        { provide: 'made', useFactory: () => new Mailer() },
        { provide: 'alias', useExisting: 'made' },
        { provide: 'nothing', useValue: null },
        { provide: 'bare', useValue: Object.create(null) },
        { provide: 'number', useValue: 7 },
      ],
    })
    class Made {}
    calls.length = 0;
    const { url } = await startApp({
      imports: [webhookModule(SECRETS), { module: Made }],
      controllers: [createBerbixWebhookController()],
    });
    expect((await post(`${url}/webhooks/berbix/finished`, BODY, signed('finished'))).status).toBe(
      204,
    );
    expect(calls.toSorted()).toEqual(['both: finished', 'mailer: ada accept']);
  });
});
