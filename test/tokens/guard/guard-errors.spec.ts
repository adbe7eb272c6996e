import { describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Controller, ForbiddenException, Get, UseGuards } from '@nestjs/common';
import {
  BerbixTokens,
  BerbixTokensGuard,
  FreshTokens,
  InMemoryTokenStore,
  RequireFreshTokens,
  type BerbixTokenRef,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { PLATFORMS } from '../../support/platforms.js';
import { captureOutput } from '../../support/sinks.js';
import { GuardedApp, type GuardedAppParts } from './support/guard.js';

/** What the resolver returns or throws for the next request. */
let resolve: () => BerbixTokenRef;

/** How often the handler ran. */
let calls: number;

@Controller()
class ResultController {
  @Get('result')
  @RequireFreshTokens(() => resolve())
  result(): string {
    calls++;
    return 'in';
  }

  @Get('undecorated')
  @UseGuards(BerbixTokensGuard)
  undecorated(): void {}

  @Get('unguarded')
  unguarded(@FreshTokens() tokens: BerbixTokens): string {
    return String(tokens);
  }

  @Get('other-account')
  @RequireFreshTokens(() => resolve(), { account: 'eu' })
  otherAccount(): void {}
}

/** A store that is down, with a driver whose errors contain secrets. */
class FailingStore extends InMemoryTokenStore {
  isDown = false;

  override async load(key: string): ReturnType<InMemoryTokenStore['load']> {
    if (this.isDown) throw new Error('connect to postgres://app:db-password@db refused');
    return super.load(key);
  }
}

describe.each(PLATFORMS)('what @RequireFreshTokens refuses on %s', (platform) => {
  let log: string;

  async function start(parts: Partial<GuardedAppParts> = {}): Promise<GuardedApp> {
    calls = 0;
    resolve = () => ({ customerUid: 'ada' });
    return GuardedApp.start({
      platform,
      controllers: [ResultController],
      configure: (created) =>
        created.useLogger(new ConsoleLogger({ colors: false, logLevels: ['warn', 'error'] })),
      ...parts,
    });
  }

  /** The answer. Asserts that it and the log show no secret, and that the handler did not run. */
  async function refusal(
    app: GuardedApp,
    path: string,
    secrets: (string | undefined)[] = [],
  ): Promise<[number, string]> {
    let answer!: Awaited<ReturnType<GuardedApp['get']>>;
    log = await captureOutput(async () => (answer = await app.get(path)));
    for (const secret of [app.sandbox.apiSecret, 'db-password', ...secrets]) {
      expect(secret).toEqual(expect.any(String));
      expect(answer.text + log).not.toContain(secret);
    }
    expect(calls).toBe(0);
    return [answer.status, (answer.body as { message: string }).message];
  }

  it('404 if nothing is stored', async () => {
    const app = await start();
    expect(await refusal(app, 'result')).toEqual([404, 'There is no verification.']);
    resolve = () => ({ transactionId: '1234' });
    expect(await refusal(app, 'result')).toEqual([404, 'There is no verification.']);
  });

  it('410 if the tokens were removed, and if the refresh token is dead', async () => {
    const app = await start();
    await app.begin('ada');
    await firstValueFrom(app.tokens.forget({ customerUid: 'ada' }));
    const gone = 'This verification cannot be continued. Start a new one.';
    expect(await refusal(app, 'result')).toEqual([410, gone]);
    // It may belong to the account's other mode, so no new verification would begin.
    const ended = [410, 'This verification cannot be continued.'];
    const dead = 'no-such-refresh-token';
    await firstValueFrom(app.tokens.remember({ customerUid: 'bob', tokens: dead }));
    resolve = () => ({ customerUid: 'bob' });
    expect(await refusal(app, 'result', [dead])).toEqual(ended);
    resolve = () => dead;
    expect(await refusal(app, 'result', [dead])).toEqual(ended);
  });

  it('503 if the store fails', async () => {
    const store = new FailingStore();
    const app = await start({ options: { store } });
    store.isDown = true;
    expect(await refusal(app, 'result')).toEqual([
      503,
      'Identity verification is not available at the moment.',
    ]);
    expect(log).toContain('BERBIX_STORE');
  });

  it.each([
    ['status', 502, { kind: 'status', status: 500 }, {}],
    ['reset', 502, { kind: 'reset' }, {}],
    ['html', 502, { kind: 'html', status: 502 }, {}],
    ['too many', 503, { kind: 'status', status: 429, retryAfter: 7 }, {}],
    ['silence', 504, { kind: 'hang' }, { timeoutMs: 1_000, totalTimeoutMs: 2_000 }],
  ] as const)('%s at Berbix: %i', async (_what, status, fault, options) => {
    const app = await start({ options });
    const { refreshToken } = await app.create('ada');
    await firstValueFrom(app.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    app.sandbox.faults.add({ ...fault, path: '/v0/tokens', times: Infinity });
    expect((await refusal(app, 'result', [refreshToken]))[0]).toBe(status);
    expect(log).toContain('WARN');
  });

  it('400 if the uid is undefined or invalid', async () => {
    const app = await start();
    for (const uid of [undefined, '', 7, null]) {
      resolve = () => ({ customerUid: uid as never });
      expect(await refusal(app, 'result')).toEqual([400, 'The request cannot be processed.']);
    }
  });

  it('400 if the resolver returns something that does not refer to tokens', async () => {
    const app = await start();
    const tokens = await app.create('ada');
    for (const ref of [
      { user: 'ada' },
      ['ada'],
      JSON.parse(JSON.stringify(tokens)),
      new Proxy(tokens, {}),
      { ...tokens },
      { refreshToken: tokens.refreshToken, needsRefresh: true, expiresAt: 1n },
      { customerUid: 'ada', transactionId: tokens.transactionId },
    ]) {
      resolve = () => ref;
      const secrets = [tokens.refreshToken, tokens.accessToken];
      expect(await refusal(app, 'result', secrets)).toEqual([
        400,
        'The request cannot be processed.',
      ]);
    }
  });

  it('explains the order of guards if nobody is signed in', async () => {
    const app = await start();
    const userOf = (request: { user?: { id: string } }): { id: string } => request.user!;
    const sentence =
      'The function of @RequireFreshTokens on ResultController.result failed with a TypeError. Is somebody signed in when it runs? Put the login guard below @RequireFreshTokens';
    for (const resolver of [
      () => ({ customerUid: userOf({}).id }),
      async () => ({ customerUid: userOf({}).id }),
    ]) {
      resolve = resolver as typeof resolve;
      expect(await refusal(app, 'result')).toEqual([500, 'Internal server error']);
      expect(log).toContain(sentence);
    }
    for (const nobody of [undefined, null]) {
      for (const resolver of [() => nobody, async () => nobody]) {
        log = '';
        resolve = resolver as never;
        expect(await refusal(app, 'result')).toEqual([400, 'The request cannot be processed.']);
        expect(log).toContain(
          'The function of @RequireFreshTokens on ResultController.result returned null or undefined for this request. Is somebody signed in when it runs? Put the login guard below @RequireFreshTokens',
        );
      }
    }
  });

  it('throws the error of the resolver unchanged', async () => {
    const app = await start();
    resolve = () => {
      throw new ForbiddenException('not yours');
    };
    expect(await refusal(app, 'result')).toEqual([403, 'not yours']);
    resolve = () => {
      throw new RangeError('a mistake');
    };
    expect(await refusal(app, 'result')).toEqual([500, 'Internal server error']);
    expect(log).toContain('RangeError: a mistake');
  });

  it('500 without the filter, and still no secret anywhere', async () => {
    const store = new FailingStore();
    const app = await start({ bare: true, options: { store } });
    const dead = 'no-such-refresh-token';
    await firstValueFrom(app.tokens.remember({ customerUid: 'bob', tokens: dead }));
    const failed = [500, 'Internal server error'];
    expect(await refusal(app, 'result')).toEqual(failed);
    expect(log).toContain('BerbixNotFoundError');
    resolve = () => ({ customerUid: 'bob' });
    expect(await refusal(app, 'result', [dead])).toEqual(failed);
    store.isDown = true;
    resolve = () => ({ customerUid: 'cy' });
    expect(await refusal(app, 'result')).toEqual(failed);
    expect(log).toContain('BerbixStoreError');
  });

  it.each([
    [
      'undecorated',
      'ResultController.undecorated has BerbixTokensGuard, but no @RequireFreshTokens. Add @RequireFreshTokens(',
    ],
    [
      'unguarded',
      'There are no tokens for @FreshTokens(). Add @RequireFreshTokens(...) to the handler.',
    ],
    ['other-account', 'BerbixTokensGuard needs BerbixModule.forRoot with the account "eu".'],
  ])('logs what %s lacks', async (path, sentence) => {
    const app = await start();
    await app.begin('ada');
    expect(await refusal(app, path)).toEqual([500, 'Internal server error']);
    expect(log).toContain(sentence);
  });

  it('logs that there is only a named account', async () => {
    const app = await start({ options: { account: 'us' } });
    expect(await refusal(app, 'result')).toEqual([500, 'Internal server error']);
    expect(log).toContain(
      'BerbixTokensGuard needs BerbixModule.forRoot without an account, or an account in @RequireFreshTokens.',
    );
  });
});
