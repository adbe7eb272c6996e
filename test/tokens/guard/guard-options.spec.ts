import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
  type DynamicModule,
  type ExecutionContext,
} from '@nestjs/common';
import { ModuleRef, REQUEST, Reflector } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixTokens,
  BerbixTokensGuard,
  FreshTokens,
  RequireFreshTokens,
  type BerbixTokenRef,
} from 'nestjs-berbix';
import { PLATFORMS, listen } from '../../support/platforms.js';
import {
  createTransaction,
  installClock,
  servicesFor,
  startSandbox,
} from '../../support/services.js';
import { GuardedApp, SignedInGuard, accountOf, type SignedInRequest } from './support/guard.js';

interface Session {
  session: { uid: string };
}

/** Finds the request in an envelope, and counts its instances. */
@Injectable()
class EnvelopeGuard extends BerbixTokensGuard {
  static made = 0;

  constructor(@Inject(Reflector) reflector: Reflector, @Inject(ModuleRef) moduleRef: ModuleRef) {
    super(reflector, moduleRef);
    EnvelopeGuard.made++;
  }

  protected override getRequest(context: ExecutionContext): unknown {
    const { user } = super.getRequest(context) as SignedInRequest;
    return { session: { uid: user.id } } satisfies Session;
  }
}

const byEnvelope = RequireFreshTokens(
  ({ session }: Session): BerbixTokenRef => ({ customerUid: session.uid }),
  { guard: EnvelopeGuard },
);

@Controller('single')
class SingleController {
  @Get()
  @byEnvelope
  @UseGuards(SignedInGuard)
  get(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  static made = 0;

  constructor(@Inject(REQUEST) private readonly request: SignedInRequest) {
    ScopedController.made++;
  }

  @Get()
  @byEnvelope
  @UseGuards(SignedInGuard)
  get(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId, user: this.request.user.id };
  }
}

@Controller()
class LongController {
  @Get('long')
  @RequireFreshTokens((): BerbixTokenRef => ({ customerUid: 'ada' }), { leewayMs: 2 * 3_600_000 })
  long(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('short')
  @RequireFreshTokens((): BerbixTokenRef => ({ customerUid: 'ada' }))
  short(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

@Controller()
class AccountsController {
  @Get('default')
  @RequireFreshTokens((): BerbixTokenRef => ({ customerUid: 'ada' }))
  inDefault(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('eu')
  @RequireFreshTokens((): BerbixTokenRef => ({ customerUid: 'ada' }), { account: 'eu' })
  inEu(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

@Module({ controllers: [AccountsController] })
class AccountsModule {}

describe.each(PLATFORMS)('options of @RequireFreshTokens on %s', (platform) => {
  it('accepts a guard that finds the request elsewhere, and creates it once per module', async () => {
    EnvelopeGuard.made = 0;
    ScopedController.made = 0;
    const controllers = [SingleController, ScopedController];
    const app = await GuardedApp.start({ platform, controllers });
    const ids = { ada: await app.begin('ada'), bob: await app.begin('bob') };
    for (const user of ['ada', 'bob', 'ada'] as const) {
      expect((await app.get('single', user)).body).toEqual({ id: ids[user] });
      expect((await app.get('scoped', user)).body).toEqual({ id: ids[user], user });
    }
    expect((await app.get('scoped', 'eve')).status).toBe(404);
    expect(EnvelopeGuard.made).toBe(1);
    // A new one for each request, including the one that the guard refused.
    expect(ScopedController.made).toBe(4);
  });

  it('asks for tokens that stay valid for the configured time', async () => {
    const app = await GuardedApp.start({ platform, controllers: [LongController] });
    const id = await app.begin('ada');
    app.sandbox.requests.clear();
    const clock = installClock();
    const exchanges = () => [...app.sandbox.requests].map(({ path }) => path);
    expect((await app.get('long')).body).toEqual({ id });
    expect(exchanges()).toEqual([]);
    // Valid for forty more minutes, which is too short for this handler only.
    clock.advance(20 * 60_000);
    expect((await app.get('short')).body).toEqual({ id });
    expect(exchanges()).toEqual([]);
    expect((await app.get('long')).body).toEqual({ id });
    expect(exchanges()).toEqual(['/v0/tokens']);
  });

  it('uses the tokens of the named account, regardless of where its module is imported', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const started = [undefined, 'eu'].map(async (account) => {
      const { refreshToken, transactionId } = await createTransaction(sandbox, services);
      const loadTokens = async (): Promise<string> => refreshToken;
      const options = { ...accountOf(sandbox), account, loadTokens };
      return { transactionId, module: BerbixModule.forRoot(options) };
    });
    const [usual, eu] = await Promise.all(started);
    // The module of the controller imports neither.
    const imports = [usual?.module, eu?.module, AccountsModule] as DynamicModule[];
    const url = await listen(Test.createTestingModule({ imports }), platform);
    for (const [path, id] of [
      ['default', usual?.transactionId],
      ['eu', eu?.transactionId],
      ['default', usual?.transactionId],
    ]) {
      expect(id).toEqual(expect.any(String));
      expect(await (await fetch(`${url}/${path}`)).json()).toEqual({ id });
    }
    expect(usual?.transactionId).not.toBe(eu?.transactionId);
  });
});
