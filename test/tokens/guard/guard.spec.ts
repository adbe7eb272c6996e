import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { BerbixTokens, FreshTokens, RequireFreshTokens, type TokenRef } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { PLATFORMS } from '../../support/platforms.js';
import { GuardedApp, SignedInGuard, type SignedInRequest } from './guard.support.js';

/** What the next request is let in with, where a test decides. */
let source: TokenRef | PromiseLike<TokenRef>;

/** Whom the resolvers were asked for, in order. */
let asked: string[];

function ofUser({ user }: SignedInRequest): TokenRef {
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

  @Get('source')
  @RequireFreshTokens(() => source)
  fromSource(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }

  @Get('twice')
  @RequireFreshTokens(() => source)
  twice(@FreshTokens() first: BerbixTokens, @FreshTokens() second: BerbixTokens): unknown {
    return { same: first === second };
  }

  @Get('unused')
  @RequireFreshTokens(() => source)
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
  @RequireFreshTokens(() => source)
  own(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

describe.each(PLATFORMS)('@RequireFreshTokens on %s', (_platform, adapter) => {
  async function start(): Promise<GuardedApp> {
    asked = [];
    return GuardedApp.start({
      adapter,
      controllers: [ResultController, SignedInController, WholeController],
    });
  }

  it('lets a request in with fresh tokens and hands them to the handler', async () => {
    const app = await start();
    const id = await app.begin('ada');
    expect(await app.get('result/mine', 'ada')).toMatchObject({
      status: 200,
      body: { real: true, id },
    });
  });

  it('exchanges once for many requests, when the tokens in the store are too old', async () => {
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

  it('keeps everyone out when the login guard above it comes too late', async () => {
    const app = await start();
    await app.begin('ada');
    expect((await app.get('result/too-early', 'ada')).status).toBe(500);
  });

  it("reaches nothing of another customer's for who names him in the request", async () => {
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
    // One who has begun nothing gets nothing, whomever he names.
    expect((await app.get(`result/of/bob?${query}`, 'eve')).status).toBe(404);
  });

  it('guards every handler of a controller; what a handler says of its own goes before', async () => {
    const app = await start();
    const [ada, bob] = [await app.begin('ada'), await app.begin('bob')];
    source = { customerUid: 'bob' };
    expect((await app.get('whole/one', 'ada')).body).toEqual({ id: ada });
    expect((await app.get('whole/two', 'bob')).body).toEqual({ id: bob });
    expect((await app.get('whole/two')).status).toBe(401);
    asked = [];
    expect((await app.get('whole/own', 'ada')).body).toEqual({ id: bob });
    expect(asked).toEqual([]);
  });

  it('takes tokens, a refresh token, a transaction and a customer', async () => {
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
      // Of a table of one's own; the store does not know it.
      [stranger.refreshToken, stranger.transactionId],
    ] as const) {
      source = each;
      expect(await app.get('result/source')).toMatchObject({ status: 200, body: { id: expected } });
    }
  });

  it('waits for a resolver that has to look something up', async () => {
    const app = await start();
    const id = await app.begin('ada');
    source = Promise.resolve({ customerUid: 'ada' });
    expect((await app.get('result/source')).body).toEqual({ id });
    // Those of query builders are promises of their own kind.
    source = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve, reject) => Promise.resolve({ customerUid: 'ada' }).then(resolve, reject),
    };
    expect((await app.get('result/source')).body).toEqual({ id });
    source = Promise.reject(new TypeError('the table is locked'));
    expect((await app.get('result/source')).status).toBe(500);
  });

  it('gives the same tokens to every parameter, and needs none', async () => {
    const app = await start();
    await app.begin('ada');
    source = { customerUid: 'ada' };
    expect((await app.get('result/twice')).body).toEqual({ same: true });
    expect((await app.get('result/unused')).text).toBe('in');
  });
});

it('says so when it is given no function', () => {
  expect(() => RequireFreshTokens({ customerUid: 'ada' } as never)).toThrow(
    '@RequireFreshTokens takes a function that says of a request whose tokens it needs.',
  );
});
