import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Post,
  UseGuards,
  type Type,
} from '@nestjs/common';
import {
  type BerbixWebhookOptions,
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  OnBerbixWebhook,
  createBerbixWebhookController,
} from '../../lib/webhooks/index.js';
import { startSandbox } from '../support/services.js';
import { BODY, calls, signed } from './support/mailer.js';
import { SECRETS, post, startApp, webhookModule, type WebhookApp } from './support/webhook-app.js';

/** Like the decorator of a library that retries, measures or opens transactions. */
const Wrapped: MethodDecorator = (_target, _name, descriptor) => {
  const method = descriptor.value as unknown as (...args: unknown[]) => unknown;
  return {
    ...descriptor,
    value: function (this: unknown, ...args: unknown[]) {
      calls.push('wrapped');
      return method.apply(this, args);
    },
  } as never;
};

/** Like the decorator of a library that binds methods to their instance. */
const Bound: MethodDecorator = (_target, _name, descriptor) => {
  const method = descriptor.value as unknown as (...args: unknown[]) => unknown;
  return {
    configurable: true,
    get(this: object) {
      return method.bind(this);
    },
  } as never;
};

class Base {
  protected readonly who: string = 'base';

  @OnBerbixWebhook('finished')
  handle({ customerUid }: BerbixWebhookDto): void {
    calls.push(`${this.who}: ${customerUid}`);
  }
}

const hidden = Symbol('hidden');

class DecoratedAbove extends Base {
  @Wrapped
  @OnBerbixWebhook('finished')
  override handle(webhook: BerbixWebhookDto): void {
    super.handle(webhook);
  }
}

class DecoratedBelow extends Base {
  @OnBerbixWebhook('finished')
  @Wrapped
  override handle(webhook: BerbixWebhookDto): void {
    super.handle(webhook);
  }
}

class BoundAbove extends Base {
  @Bound
  @OnBerbixWebhook('finished')
  override handle(webhook: BerbixWebhookDto): void {
    super.handle(webhook);
  }
}

class Overriding extends Base {
  protected override readonly who = 'override';

  override handle(webhook: BerbixWebhookDto): void {
    super.handle(webhook);
  }
}

class OverridingAgain extends Overriding {
  protected override readonly who = 'override' as const;

  @OnBerbixWebhook('finished')
  override handle(webhook: BerbixWebhookDto): void {
    super.handle(webhook);
  }
}

class Hidden {
  @OnBerbixWebhook('finished')
  [hidden]({ customerUid }: BerbixWebhookDto): void {
    calls.push(`hidden: ${customerUid}`);
  }
}

class Copied {
  protected readonly who = 'copied';
}
Object.defineProperties(Copied.prototype, Object.getOwnPropertyDescriptors(Base.prototype));
Object.defineProperty(Copied.prototype, 'constructor', { value: Copied });

async function start(
  providers: Type[],
  options: BerbixWebhookOptions = SECRETS,
  controllers: Type[] = [createBerbixWebhookController()],
): Promise<WebhookApp> {
  return startApp({ providers, controllers, imports: [webhookModule(options)] });
}

const deliver = async ({ url }: WebhookApp, kind: 'finished' | 'status' = 'finished') =>
  (await post(`${url}/webhooks/berbix/${kind}`, BODY, signed(kind))).status;

describe('a handler', () => {
  it.each<[string, Type, string[]]>([
    ['below a decorator that replaces the method', DecoratedAbove, ['wrapped', 'base: ada']],
    ['above a decorator that replaces the method', DecoratedBelow, ['wrapped', 'base: ada']],
    ['below a decorator that makes a getter of it', BoundAbove, ['base: ada']],
    ['that a subclass overrides', Overriding, ['override: ada']],
    ['that a subclass overrides and decorates', OverridingAgain, ['override: ada']],
    ['whose name is a symbol', Hidden, ['hidden: ada']],
    ['that is copied into another class', Copied, ['copied: ada']],
  ])('%s is found, and runs once', async (_, provider, expected) => {
    const app = await start([provider], { finished: SECRETS.finished });
    expect(app.logs).toEqual([]);
    expect(await deliver(app)).toBe(204);
    expect(calls).toEqual(expected);
  });

  it('handles the webhooks of its own decorators if it overrides another', async () => {
    class Later extends Base {
      @OnBerbixWebhook('status')
      override handle(webhook: BerbixWebhookDto): void {
        super.handle(webhook);
      }
    }
    const app = await start([Later], { ...SECRETS, confirmUnhandled: true });
    expect([await deliver(app), calls.length]).toEqual([204, 0]);
    expect([await deliver(app, 'status'), calls.length]).toEqual([204, 1]);
  });

  it('stops the boot if it is not a method any more', async () => {
    class Gone extends Base {}
    Object.defineProperty(Gone.prototype, 'handle', { value: 'a text' });
    await expect(start([Gone])).rejects.toThrow(
      'Gone.handle cannot handle webhooks: it has @OnBerbixWebhook, but is not a method any more.',
    );
  });

  it('stops the boot if its account is only the property of another provider', async () => {
    class Customers {
      readonly account = 'eu';
    }
    class European {
      @OnBerbixWebhook('finished', 'eu')
      handle(): void {}
    }
    await expect(start([Customers, European])).rejects.toThrow(
      'European.handle is for the account "eu", which is not registered.',
    );
  });

  it('is found without calling getters', async () => {
    class Lazy extends Base {
      get other(): string {
        throw new Error('not yet');
      }
    }
    const app = await start([Lazy]);
    expect(await deliver(app)).toBe(204);
  });
});

describe('a webhook without a handler', () => {
  const SENTENCE =
    "No method has @OnBerbixWebhook('status'), so status webhooks are not confirmed. " +
    'Add such a method to a provider, or set webhooks.confirmUnhandled to true to confirm and drop them.';

  it('is logged at boot, is not confirmed, and is sent again', async () => {
    const app = await start([Base]);
    expect(app.logs).toEqual([`warn: ${SENTENCE}`]);
    const sandbox = await startSandbox({
      webhooks: {
        status: { url: `${app.url}/webhooks/berbix/status`, secret: SECRETS.status },
        retryDelayMs: 1,
      },
    });
    const sent = await sandbox.webhooks.sendTest('status');
    expect(sent).toMatchObject({ delivered: false, status: 500 });
    expect(sent.attempts).toBeGreaterThan(1);
    expect(app.logs.at(-1)).toBe(
      `error: A status webhook of transaction 1234123412341234 arrived. ${SENTENCE}`,
    );
  });

  it('is confirmed if the application says so, and not logged', async () => {
    const app = await start([Base], { ...SECRETS, confirmUnhandled: true });
    expect(await deliver(app, 'status')).toBe(204);
    expect(app.logs).toEqual([]);
  });

  it('is logged with the name of its account', async () => {
    const { logs } = await startApp({
      imports: [webhookModule({ finished: SECRETS.finished }, undefined, 'eu')],
    });
    expect(logs).toEqual([
      expect.stringContaining("No method has @OnBerbixWebhook('finished', 'eu'), so"),
    ]);
  });

  it('is not logged if the application receives it in its own controller', async () => {
    @Controller('own')
    @UseGuards(BerbixWebhookGuard)
    class OwnController {
      @Post('finished')
      @HttpCode(204)
      @BerbixWebhookKind('finished')
      finished(@BerbixWebhook() webhook: object): void {
        calls.push(`own: ${(webhook as BerbixWebhookDto).customerUid}`);
      }
    }
    @Controller('status')
    @UseGuards(BerbixWebhookGuard)
    @BerbixWebhookKind('status')
    class StatusController {
      constructor(@Inject(BerbixWebhookService) private readonly webhooks: BerbixWebhookService) {}

      @Post()
      async status(@BerbixWebhook() webhook: object): Promise<void> {
        await this.webhooks.handle(webhook as BerbixWebhookDto);
      }
    }
    @Module({})
    class OwnModule {}
    const app = await startApp({
      imports: [
        {
          ...webhookModule(SECRETS),
          module: OwnModule,
          controllers: [OwnController, StatusController],
        },
      ],
    });
    expect(app.logs).toEqual([]);
    expect((await post(`${app.url}/own/finished`, BODY, signed('finished'))).status).toBe(204);
    expect(calls).toEqual(['own: ada']);
    // It calls handle(), which confirms no webhook without a handler.
    expect((await post(`${app.url}/status`, BODY, signed('status'))).status).toBe(500);
  });

  it('is logged if its own controller inherits the route, and overrides it without one', async () => {
    class Receiver {
      @Post()
      @BerbixWebhookKind('finished')
      finished(): void {}
    }
    @Controller('inherited')
    class Inheriting extends Receiver {}
    @Controller('overridden')
    class Overridden extends Receiver {
      override finished(): void {}
    }
    const warnings = async (controller: Type): Promise<number> => {
      const app = await start([], { finished: SECRETS.finished }, [controller]);
      return app.logs.length;
    };
    expect([await warnings(Inheriting), await warnings(Overridden)]).toEqual([0, 1]);
  });

  it('is logged if its own controller receives that of another account', async () => {
    @Controller('eu')
    @UseGuards(BerbixWebhookGuard)
    class EuController {
      @Post()
      @BerbixWebhookKind('finished', 'eu')
      finished(): void {}
    }
    const { finished } = SECRETS;
    const { logs } = await startApp({
      imports: [webhookModule({ finished }), webhookModule({ finished }, undefined, 'eu')],
      controllers: [EuController],
    });
    expect(logs).toEqual([expect.stringContaining("No method has @OnBerbixWebhook('finished'), ")]);
  });
});

describe('a class that two modules provide', () => {
  @Module({ providers: [Base] })
  class MailModule {}
  @Module({ providers: [Base] })
  class BillingModule {}
  @Module({
    providers: [
      { provide: 'one', useFactory: () => new Base() },
      { provide: 'other', useFactory: () => new Base() },
    ],
  })
  class MadeModule {}

  const startWith = (...modules: Type[]) =>
    startApp({
      imports: [
        webhookModule({ finished: SECRETS.finished }),
        ...modules.map((module) => ({ module })),
      ],
      controllers: [createBerbixWebhookController()],
    });

  it('is logged at boot, and handles a webhook once', async () => {
    const app = await startWith(MailModule, BillingModule);
    expect(app.logs).toEqual([
      'warn: Base has two instances, in MailModule and BillingModule. Its methods with @OnBerbixWebhook run only in MailModule. ' +
        'Provide it in one module, and export it from there.',
    ]);
    expect(await deliver(app)).toBe(204);
    expect(calls).toEqual(['base: ada']);
  });

  it('has a handler for each instance that a factory creates', async () => {
    @Injectable()
    class Other extends Base {}
    @Module({ providers: [Other] })
    class OtherModule {}
    const app = await startWith(MadeModule, OtherModule);
    expect(app.logs).toEqual([]);
    expect(await deliver(app)).toBe(204);
    expect(calls).toHaveLength(3);
  });
});
