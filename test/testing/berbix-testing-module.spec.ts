import { describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, Post } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  BerbixEvents,
  BerbixModule,
  BerbixServerError,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTokens,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
  FreshTokens,
  InjectBerbix,
  OnBerbixWebhook,
  RequireFreshTokens,
  createBerbixWebhookController,
  getBerbixToken,
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
import { errorOf } from '../support/errors.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { installClock, servicesFor, startSandbox } from '../support/services.js';

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

  it('accepts no access token after an hour, even if the client considers it valid', async () => {
    const clock = installClock();
    const fake = new FakeBerbix();
    const created = await firstValueFrom(
      fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
    );
    const { accessToken, refreshToken } = created;
    clock.advance(3_601_000);
    const expiresAt = new Date(Date.now() + 3_000_000);
    const believed = new BerbixTokens({ accessToken, refreshToken, expiresAt });
    await firstValueFrom(fake.transactions.fetch(believed));
    expect(fake.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v0/transactions',
      'GET /v0/transactions',
      'POST /v0/tokens',
      'GET /v0/transactions',
    ]);
  });

  it('ends the hour of an access token at the exact millisecond', async () => {
    const now = Date.now();
    const time = jest.spyOn(Date, 'now').mockReturnValue(now);
    try {
      const fake = new FakeBerbix();
      const { accessToken, refreshToken } = await firstValueFrom(
        fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
      );
      const expiresAt = new Date(now + 7_200_000);
      const believed = new BerbixTokens({ accessToken, refreshToken, expiresAt });
      for (const [ms, methods] of [
        [3_599_999, ['GET']],
        [3_600_000, ['GET', 'POST', 'GET']],
      ] as const) {
        time.mockReturnValue(now + ms);
        fake.calls.length = 0;
        await firstValueFrom(fake.transactions.fetch(believed));
        expect(fake.calls.map(({ method }) => method)).toEqual(methods);
      }
    } finally {
      time.mockRestore();
    }
  });

  it('exchanges no refresh token of a deleted transaction', async () => {
    const fake = new FakeBerbix();
    const created = await firstValueFrom(
      fake.transactions.create({ customerUid: 'ada', templateKey: 'tpk_x' }),
    );
    await firstValueFrom(fake.transactions.delete(created));
    const error = await errorOf(fake.tokens.refresh(created.refreshToken));
    expect(error.code).toBe('BERBIX_GONE');
  });

  it('supports a whole verification', async () => {
    const fake = new FakeBerbix();
    const options = { templateKey: 'tpk_x' };
    const result = async (): Promise<string> =>
      (await firstValueFrom(fake.verifications.result('ada'))).status;
    expect(await result()).toBe('not_started');
    await firstValueFrom(fake.verifications.begin('ada', options));
    expect(await result()).toBe('in_progress');
    fake.finish('ada', 'reject', ['id_expired']);
    expect(await result()).toBe('rejected');
    const accept = { action: 'accept' };
    await firstValueFrom(fake.transactions.update({ customerUid: 'ada' }, accept));
    expect(await result()).toBe('accepted');
    await firstValueFrom(fake.verifications.reverify('ada', options));
    const override = { responsePayload: 'us-dl' as const, overrideFields: { given_name: 'ADA' } };
    await firstValueFrom(fake.transactions.override({ customerUid: 'ada' }, override));
    const { transaction } = await firstValueFrom(fake.verifications.result('ada'));
    expect(transaction?.fields['given_name']?.value).toBe('ADA');
    await firstValueFrom(fake.verifications.erase('ada'));
    expect(await result()).toBe('gone');
  });

  it('updates only a completed transaction, and overrides only an open one', async () => {
    const fake = new FakeBerbix();
    const ada = { customerUid: 'ada' };
    await firstValueFrom(fake.verifications.begin('ada', { templateKey: 'tpk_x' }));
    const update = () => fake.transactions.update(ada, { action: 'reject' });
    const override = () => fake.transactions.override(ada, { responsePayload: 'us-dl' });
    expect((await errorOf(update())).code).toBe('BERBIX_CONFLICT');
    await firstValueFrom(override());
    expect((await errorOf(override())).code).toBe('BERBIX_CONFLICT');
    expect((await firstValueFrom(update())).action).toBe('reject');
  });

  it('decides by the flags of an override as the sandbox does', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const actionOf = async (transactions: BerbixTransactionService, flags: string[]) => {
      const templateKey = sandbox.templateKeys.sdk;
      const created = await firstValueFrom(
        transactions.create({ customerUid: 'ada', templateKey }),
      );
      const override = { responsePayload: 'us-dl' as const, flags };
      await firstValueFrom(transactions.override(created, override));
      return (await firstValueFrom(transactions.fetch(created))).action;
    };
    const fake = new FakeBerbix();
    const results = [
      [],
      ['id_expired'],
      ['id_under_18'],
      ['id_expired', 'id_blocked'],
      ['made_up'],
    ];
    for (const flags of results) {
      const action = await actionOf(services.transactions, flags);
      expect(await actionOf(fake.transactions, flags)).toBe(action);
    }
  });

  it("finishes the customer's latest transaction, and no other", async () => {
    const fake = new FakeBerbix();
    const create = (customerUid: string) =>
      firstValueFrom(fake.transactions.create({ customerUid, templateKey: 'tpk_x' }));
    const created = [await create('ada'), await create('ada'), await create('bob')];
    fake.finish('ada', 'reject');
    const completed = created.map(async (tokens) => {
      const { completedAt } = await firstValueFrom(fake.transactions.fetch(tokens));
      return completedAt !== undefined;
    });
    expect(await Promise.all(completed)).toEqual([false, true, false]);
  });

  it('fails once for each error, in their order', async () => {
    const berbix = new FakeBerbix();
    for (const problem of ['down', 'still down']) {
      berbix.failNext(new BerbixServerError(problem, { retryable: true }));
    }
    const create = { customerUid: 'ada', templateKey: 'tpk_x' };
    for (const problem of ['down', 'still down']) {
      expect((await errorOf(berbix.transactions.create(create))).message).toContain(problem);
    }
    expect(await firstValueFrom(berbix.transactions.create(create))).toBeDefined();
    expect(berbix.calls).toHaveLength(3);
    expect(() => berbix.finish('bob', 'accept')).toThrow('There is no transaction of bob.');
  });

  it('expires tokens by the clock of the test runner', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const berbix = new FakeBerbix();
      await firstValueFrom(berbix.verifications.begin('ada', { templateKey: 'tpk_x' }));
      jest.advanceTimersByTime(3_600_000);
      await firstValueFrom(berbix.transactions.fetch({ customerUid: 'ada' }));
      expect(berbix.calls.map(({ path }) => path)).toContain('/v0/tokens');
    } finally {
      jest.useRealTimers();
    }
  });

  it('knows only its own tokens', async () => {
    const berbix = new FakeBerbix();
    expect((await errorOf(berbix.tokens.refresh('rt_unknown'))).code).toBe(
      'BERBIX_INVALID_REFRESH_TOKEN',
    );
    const create = { customerUid: 'ada', templateKey: 'tpk_x' };
    const hosted = await firstValueFrom(berbix.transactions.createHosted(create));
    expect(hosted.hostedUrl).toMatch(/^https:/);
    const apiOnly = await firstValueFrom(berbix.transactions.createApiOnly(create));
    expect(apiOnly.firstStep).toBe('upload_document_front');
  });
});
