import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { BerbixTokens, FreshTokens, RequireFreshTokens, type BerbixTokenRef } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { PLATFORMS } from '../../support/platforms.js';
import { GuardedApp, SignedInGuard, type SignedInRequest } from './support/guard.js';

/** What the resolver returns for the next request, if the test sets it. */
let ref: BerbixTokenRef | PromiseLike<BerbixTokenRef>;

/** The resolver calls, in order. */
let asked: string[];

function ofUser({ user }: SignedInRequest): BerbixTokenRef {
  asked.push(`user ${user.id}`);
  return { customerUid: user.id };
}

@Controller('result')
class ResultController {
  @Get('mine')
  @RequireFreshTokens(ofUser)
  @UseGuards(SignedInGuard)
  mine(@FreshTokens() tokens: BerbixTokens): unknown {
    return { real: tokens instanceof BerbixTokens, id: tokens.transactionId };
  }

  @Get('too-early')
  @UseGuards(SignedInGuard)
  @RequireFreshTokens(ofUser)
  tooEarly(): string {
    return 'in';
  }

  @Get('of/:customerUid')
  @RequireFreshTokens(ofUser)
  @UseGuards(SignedInGuard)
  named(@FreshTokens() tokens: BerbixTokens, @Param('customerUid') uid: string): unknown {
    return { uid, id: tokens.transactionId };
  }

  @Get('ref')
  @RequireFreshTokens(() => ref)
  fromSource(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('twice')
  @RequireFreshTokens(() => ref)
  twice(@FreshTokens() first: BerbixTokens, @FreshTokens() second: BerbixTokens): unknown {
    return { same: first === second };
  }

  @Get('unused')
  @RequireFreshTokens(() => ref)
  unused(): string {
    return 'in';
  }
}

@Controller('signed-in')
@UseGuards(SignedInGuard)
class SignedInController {
  @Get()
  @RequireFreshTokens(ofUser)
  mine(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

@Controller('whole')
@RequireFreshTokens(ofUser)
@UseGuards(SignedInGuard)
class WholeController {
  @Get('one')
  one(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('two')
  two(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('own')
  @RequireFreshTokens(() => ref)
  own(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

describe.each(PLATFORMS)('@RequireFreshTokens on %s', (platform) => {
  async function start(): Promise<GuardedApp> {
    asked = [];
    return GuardedApp.start({
      platform,
      controllers: [ResultController, SignedInController, WholeController],
    });
  }

  it('admits a request with fresh tokens, and passes them to the handler', async () => {
    const app = await start();
    const id = await app.begin('ada');
    expect(await app.get('result/mine', 'ada')).toMatchObject({
      status: 200,
      body: { real: true, id },
    });
  });

  it('makes one exchange for many requests if the stored tokens are too old', async () => {
    const app = await start();
    const { refreshToken } = await app.create('ada');
    await firstValueFrom(app.tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
    app.sandbox.requests.clear();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.get('result/mine', 'ada')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect([...app.sandbox.requests].map(({ path }) => path)).toEqual(['/v0/tokens']);
  });

  it.each(['result/mine', 'signed-in', 'whole/one'])(
    'runs after the login guard below it or of the controller, whose result reaches the resolver: %s',
    async (path) => {
      const app = await start();
      const id = await app.begin('ada');
      expect((await app.get(path)).status).toBe(401);
      expect(asked).toEqual([]);
      expect(await app.get(path, 'ada')).toMatchObject({ status: 200 });
      expect((await app.get(path, 'ada')).body).toMatchObject({ id });
      expect(asked).toEqual(['user ada', 'user ada']);
    },
  );

  it('refuses everyone if the login guard above it runs too late', async () => {
    const app = await start();
    await app.begin('ada');
    expect((await app.get('result/too-early', 'ada')).status).toBe(500);
  });

  it('reads nothing of another customer whom the request names', async () => {
    const app = await start();
    const [ada, bob] = [await app.begin('ada'), await app.begin('bob')];
    const query = `customerUid=bob&transactionId=${bob}&user=bob`;
    for (const path of [`result/of/bob?${query}`, `result/of/${bob}?${query}`]) {
      const answer = await app.get(path, 'ada');
      expect(answer).toMatchObject({ status: 200, body: { id: ada } });
    }
    const answer = await fetch(`${app.url}/result/of/bob`, {
      headers: { authorization: 'Bearer ada', cookie: 'customerUid=bob', 'x-customer-uid': 'bob' },
    });
    expect(await answer.json()).toEqual({ uid: 'bob', id: ada });
    // A user without a verification gets nothing, no matter whom they name.
    expect((await app.get(`result/of/bob?${query}`, 'eve')).status).toBe(404);
  });

  it("guards every handler of a controller, and a handler's own options come first", async () => {
    const app = await start();
    const [ada, bob] = [await app.begin('ada'), await app.begin('bob')];
    ref = { customerUid: 'bob' };
    expect((await app.get('whole/one', 'ada')).body).toEqual({ id: ada });
    expect((await app.get('whole/two', 'bob')).body).toEqual({ id: bob });
    expect((await app.get('whole/two')).status).toBe(401);
    asked = [];
    expect((await app.get('whole/own', 'ada')).body).toEqual({ id: bob });
    expect(asked).toEqual([]);
  });

  it('accepts tokens, a refresh token, a transaction and a customer', async () => {
    const app = await start();
    const created = await app.create('ada');
    await firstValueFrom(app.tokens.remember({ customerUid: 'ada', tokens: created }));
    const id = created.transactionId as string;
    const stranger = await app.create('cy');
    for (const [each, expected] of [
      [created, id],
      [created.refreshToken, id],
      [{ transactionId: id }, id],
      [{ customerUid: 'ada' }, id],
      // From the application's own table; it is not in the store.
      [stranger.refreshToken, stranger.transactionId],
    ] as const) {
      ref = each;
      expect(await app.get('result/ref')).toMatchObject({ status: 200, body: { id: expected } });
    }
  });

  it('awaits an asynchronous resolver', async () => {
    const app = await start();
    const id = await app.begin('ada');
    ref = Promise.resolve({ customerUid: 'ada' });
    expect((await app.get('result/ref')).body).toEqual({ id });
    // Query builders have promises of their own kind.
    ref = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve, reject) => Promise.resolve({ customerUid: 'ada' }).then(resolve, reject),
    };
    expect((await app.get('result/ref')).body).toEqual({ id });
    ref = Promise.reject(new TypeError('the table is locked'));
    expect((await app.get('result/ref')).status).toBe(500);
  });

  it('passes the same tokens to every parameter, and needs none', async () => {
    const app = await start();
    await app.begin('ada');
    ref = { customerUid: 'ada' };
    expect((await app.get('result/twice')).body).toEqual({ same: true });
    expect((await app.get('result/unused')).text).toBe('in');
  });
});

it.each([
  [{ name: 'eu' }, '@RequireFreshTokens has no option named "name".'],
  [{ account: '' }, 'account of @RequireFreshTokens must be the name of an account'],
  [{ leewayMs: -1 }, 'leewayMs of @RequireFreshTokens must be a number of milliseconds'],
])('refuses the options %j', (options, message) => {
  expect(() => RequireFreshTokens(() => 'rt_1', options as never)).toThrow(message);
});

it('requires a function', () => {
  expect(() => RequireFreshTokens({ customerUid: 'ada' } as never)).toThrow(
    '@RequireFreshTokens takes a function that returns the customer or transaction of a request.',
  );
});
