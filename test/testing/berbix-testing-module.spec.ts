import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, Post } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  BerbixEvents,
  BerbixHealthService,
  BerbixModule,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTokens,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
  FreshTokens,
  InjectBerbix,
  OnBerbixEvent,
  OnBerbixWebhook,
  RequireFreshTokens,
  createBerbixWebhookController,
  getBerbixToken,
  type BerbixEvent,
  type BerbixWebhookDto,
  type VerificationStartDto,
} from 'nestjs-berbix';
import {
  BerbixTestingModule,
  FakeBerbix,
  sampleWebhookBody,
  signBerbixWebhook,
} from 'nestjs-berbix/testing';
import { firstValueFrom, type Observable } from 'rxjs';
import { closeAfterTest } from '../support/closing.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { until } from '../support/until.js';

const berbixModule = BerbixModule.forRoot('secret_test_of_nobody');
const SECRET = 'whs_of_the_test';

@Controller()
class VerificationController {
  constructor(
    @Inject(BerbixVerificationService) private readonly verifications: BerbixVerificationService,
  ) {}

  @Post('verification')
  begin(): Observable<VerificationStartDto> {
    return this.verifications.begin('ada', { templateKey: 'tpk_x' });
  }

  @Get('transaction')
  @RequireFreshTokens(() => ({ customerUid: 'ada' }))
  transaction(@FreshTokens() tokens: BerbixTokens): { id: string | undefined } {
    return { id: tokens.transactionId };
  }
}

@Injectable()
class Handler {
  readonly seen: string[] = [];

  @OnBerbixWebhook('finished')
  finished({ customerUid }: BerbixWebhookDto): void {
    this.seen.push(customerUid);
  }
}

@Module({
  imports: [berbixModule],
  controllers: [VerificationController, createBerbixWebhookController()],
  providers: [Handler],
})
class AppModule {}

/** The application with the fake in place of the module. */
function withFake(berbix: FakeBerbix): TestingModuleBuilder {
  return Test.createTestingModule({ imports: [AppModule] })
    .overrideModule(berbixModule as never)
    .useModule(BerbixTestingModule.forRoot({ berbix, webhooks: { finished: SECRET } }) as never);
}

describe.each(PLATFORMS)('BerbixTestingModule on %s', (platform) => {
  it('replaces the module', async () => {
    const berbix = new FakeBerbix();
    const builder = withFake(berbix);
    const url = await listen(builder, platform);
    const begun = await fetch(`${url}/verification`, { method: 'POST' });
    const { transactionId } = (await begun.json()) as VerificationStartDto;
    const got = await fetch(`${url}/transaction`);
    expect(await got.json()).toEqual({ id: transactionId });
    expect(berbix.calls).toEqual([{ method: 'POST', path: '/v0/transactions' }]);
  });
});

describe('BerbixTestingModule', () => {
  it('checks webhooks and calls their handlers', async () => {
    const module = await withFake(new FakeBerbix()).compile();
    closeAfterTest(() => module.close());
    await module.init();
    const body = sampleWebhookBody({ customerUid: 'ada' });
    const webhooks = module.get(BerbixWebhookService, { strict: false });
    const webhook = await webhooks.verify({
      kind: 'finished',
      header: signBerbixWebhook({ secret: SECRET, body }),
      rawBody: Buffer.from(body),
    });
    expect(await webhooks.handle(webhook)).toBe('handled');
    expect(module.get(Handler).seen).toEqual(['ada']);
  });

  it('calls the methods for events', async () => {
    const begun: string[] = [];
    @Injectable()
    class Audit {
      @OnBerbixEvent('verification.begun')
      begun({ customerUid }: BerbixEvent<'verification.begun'>): void {
        begun.push(customerUid);
      }
    }
    const berbix = new FakeBerbix();
    const module = await Test.createTestingModule({
      imports: [BerbixTestingModule.forRoot({ berbix })],
      providers: [Audit],
    }).compile();
    closeAfterTest(() => module.close());
    await module.init();
    await firstValueFrom(berbix.verifications.begin('ada', { templateKey: 'tpk_x' }));
    await until(() => begun.length > 0);
    expect(begun).toEqual(['ada']);
  });

  it('exports all services of the module that it replaces', async () => {
    const services = [
      BerbixEvents,
      BerbixHealthService,
      BerbixTokenService,
      BerbixTokenStore,
      BerbixTransactionService,
      BerbixVerificationService,
      BerbixWebhookService,
    ];
    const injecting = {
      provide: 'injected',
      inject: services,
      useFactory: (...injected: unknown[]) => injected.length,
    };
    for (const berbixOrFake of [BerbixTestingModule.forRoot(), BerbixModule.forRoot('secret')]) {
      const module = await Test.createTestingModule({
        imports: [berbixOrFake],
        providers: [injecting],
      }).compile();
      closeAfterTest(() => module.close());
      expect(module.get('injected')).toBe(services.length);
    }
  });

  it('has the health of an account that is up', async () => {
    const module = await withFake(new FakeBerbix()).compile();
    closeAfterTest(() => module.close());
    const health = module.get(BerbixHealthService, { strict: false });
    expect(await health.check()).toEqual({ status: 'up', berbix: 'up', store: 'up' });
  });

  it('is global only on request', async () => {
    const tokens = {
      provide: 'tokens',
      inject: [BerbixTokenService],
      useFactory: (given: unknown) => given,
    };
    @Module({ providers: [tokens] })
    class FeatureModule {}
    const compile = (isGlobal?: boolean) =>
      Test.createTestingModule({
        imports: [BerbixTestingModule.forRoot({ isGlobal }), FeatureModule],
      }).compile();
    const module = await compile(true);
    closeAfterTest(() => module.close());
    expect(module.get('tokens', { strict: false })).toBe(
      module.get(FakeBerbix, { strict: false }).tokens,
    );
    await expect(compile()).rejects.toThrow("can't resolve dependencies");
  });

  it('replaces a named account, and is found by its classes and injection tokens', async () => {
    @Injectable()
    class Eu {
      constructor(@InjectBerbix(BerbixTokenService, 'eu') readonly tokens: BerbixTokenService) {}

      @OnBerbixWebhook('finished', 'eu')
      finished(): void {}
    }
    const module = await Test.createTestingModule({
      imports: [BerbixTestingModule.forRoot({ account: 'eu' })],
      providers: [Eu],
    }).compile();
    closeAfterTest(() => module.close());
    // Which finds the handlers of the account.
    await module.init();
    const fake = module.get(FakeBerbix, { strict: false });
    expect(module.get(Eu).tokens).toBe(fake.tokens);
    const { events$ } = module.get<BerbixEvents>(getBerbixToken(BerbixEvents, 'eu'));
    const event = firstValueFrom(events$);
    await firstValueFrom(fake.verifications.begin('ada', { templateKey: 'tpk_x' }));
    expect(await event).toMatchObject({ kind: 'verification.begun', account: 'eu' });
  });
});

describe('FakeBerbix', () => {
  it('has its services for overrideProvider', async () => {
    const berbix = new FakeBerbix();
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(BerbixTokenService)
      .useValue(berbix.tokens)
      .overrideProvider(BerbixTransactionService)
      .useValue(berbix.transactions)
      .overrideProvider(BerbixVerificationService)
      .useValue(berbix.verifications)
      .overrideProvider(BerbixTokenStore)
      .useValue(berbix.store)
      .compile();
    closeAfterTest(() => module.close());
    const controller = module.get(VerificationController);
    expect(await firstValueFrom(controller.begin())).toMatchObject({ isResumed: false });
    expect(await firstValueFrom(controller.begin())).toMatchObject({ isResumed: true });
  });
});
