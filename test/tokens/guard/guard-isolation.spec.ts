import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  Next,
  Req,
  Res,
  Sse,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { BerbixTokens, FreshTokens, RequireFreshTokens } from 'nestjs-berbix';
import { from, map, mergeMap, of, type Observable } from 'rxjs';
import { PLATFORMS } from '../../support/platforms.js';
import { GuardedApp, SignedInGuard, type SignedInRequest } from './support/guard.js';

/** Holds requests back until the expected number has arrived. */
class Gate {
  #waiting: (() => void)[] = [];
  size = 1;

  pass(): Promise<void> {
    const passed = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#waiting.length === this.size) for (const go of this.#waiting.splice(0)) go();
    return passed;
  }
}

/** Gates before the resolver returns, between guard and handler, and in the handler. */
const gates = { resolver: new Gate(), interceptor: new Gate(), handler: new Gate() };

@Injectable()
class GateInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(gates.interceptor.pass()).pipe(
      mergeMap(() => next.handle()),
      map((answer) => answer),
    );
  }
}

@Controller()
@RequireFreshTokens(async ({ user }: SignedInRequest) => {
  await gates.resolver.pass();
  return { customerUid: user.id };
})
@UseGuards(SignedInGuard)
class SlowController {
  @Get('slow')
  @UseInterceptors(GateInterceptor)
  async slow(@FreshTokens() tokens: BerbixTokens): Promise<unknown> {
    await gates.handler.pass();
    return { id: tokens.transactionId };
  }
}

@Controller('ways')
@UseInterceptors(GateInterceptor)
@RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }))
@UseGuards(SignedInGuard)
class WaysController {
  @Get('response')
  response(@Res() response: { send(body: unknown): void }, @FreshTokens() tokens: BerbixTokens) {
    response.send({ id: tokens.transactionId });
  }

  @Get('passthrough')
  passthrough(
    @FreshTokens() tokens: BerbixTokens,
    @Res({ passthrough: true }) response: { header(name: string, value: string): void },
  ): unknown {
    response.header('x-way', 'passthrough');
    return { id: tokens.transactionId };
  }

  @Get('observable')
  observable(@FreshTokens() tokens: BerbixTokens): Observable<unknown> {
    return of({ id: tokens.transactionId });
  }

  @Sse('events')
  events(@FreshTokens() tokens: BerbixTokens): Observable<{ data: string }> {
    return of({ data: `id is ${tokens.transactionId}` });
  }
}

/** Everything that the handler can see of the request with tokens. */
const seen: unknown[] = [];

@Controller('printed')
class PrintingController {
  @Get()
  @RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }))
  @UseGuards(SignedInGuard)
  print(@Req() request: object, @FreshTokens() tokens: BerbixTokens): unknown {
    const views = [{ showHidden: true, getters: true, depth: 9 }, { depth: 0 }, {}];
    seen.push(...views.map((view) => inspect(request, view)));
    seen.push(inspect({ ...request }), tokens.accessToken, tokens.refreshToken);
    return {};
  }
}

@Controller('passed-on')
class PassingController {
  @Get()
  @RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }))
  @UseGuards(SignedInGuard)
  first(@Next() next: () => void): void {
    next();
  }

  @Get()
  second(@FreshTokens() tokens: BerbixTokens): unknown {
    return { id: tokens.transactionId };
  }
}

abstract class InheritedController {
  @Get()
  show(@FreshTokens() tokens: BerbixTokens): { id: string | undefined } {
    return { id: tokens.transactionId };
  }
}

@Controller('of-ada')
@RequireFreshTokens(() => ({ customerUid: 'ada' }))
class AdaController extends InheritedController {}

@Controller('of-ben')
@RequireFreshTokens(() => ({ customerUid: 'ben' }))
class BenController extends InheritedController {}

describe.each(PLATFORMS)('a request with tokens on %s', (platform) => {
  it('shows none of them, in any printed form', async () => {
    seen.length = 0;
    const app = await GuardedApp.start({ platform, controllers: [PrintingController] });
    await app.begin('ada');
    expect((await app.get('printed', 'ada')).status).toBe(200);
    const [refreshToken, accessToken] = [seen.pop() as string, seen.pop() as string];
    expect(seen[0]).toContain('BerbixTokens');
    for (const view of seen) {
      expect(view).not.toContain(accessToken);
      expect(view).not.toContain(refreshToken);
    }
  });
});

it.each(PLATFORMS)(
  'a handler that two controllers inherit has the tokens of each, on %s',
  async (platform) => {
    const app = await GuardedApp.start({ platform, controllers: [AdaController, BenController] });
    const [ada, ben] = [await app.begin('ada'), await app.begin('ben')];
    for (const [path, id] of [
      ['of-ada', ada],
      ['of-ben', ben],
      ['of-ada', ada],
    ] as const) {
      expect((await app.get(path, 'anyone')).body).toEqual({ id });
    }
  },
);

it('a forwarded request has no tokens for a handler without a guard', async () => {
  const app = await GuardedApp.start({ platform: 'express', controllers: [PassingController] });
  await app.begin('ada');
  expect((await app.get('passed-on', 'ada')).status).toBe(500);
});

describe.each(PLATFORMS)('concurrent requests on %s', (platform) => {
  async function start(): Promise<GuardedApp> {
    for (const gate of Object.values(gates)) gate.size = 1;
    return GuardedApp.start({ platform, controllers: [SlowController, WaysController] });
  }

  it.each(['resolver', 'interceptor', 'handler'] as const)(
    'never see the tokens of others, if all wait at the %s',
    async (place) => {
      const app = await start();
      const users = ['ada', 'bob', 'cy', 'dee', 'eve'];
      const ids: string[] = [];
      for (const user of users) ids.push(await app.begin(user));
      // Each twice, so that some calls are for the same customer.
      gates[place].size = users.length * 2;
      const answers = await Promise.all([...users, ...users].map((user) => app.get('slow', user)));
      expect(answers.map(({ body }) => body)).toEqual([...ids, ...ids].map((id) => ({ id })));
    },
  );

  it('see no tokens if an earlier one was admitted and they are not', async () => {
    const app = await start();
    const id = await app.begin('ada');
    expect((await app.get('slow', 'ada')).body).toEqual({ id });
    expect((await app.get('slow', 'bob')).status).toBe(404);
    expect((await app.get('slow', 'ada')).body).toEqual({ id });
  });

  it.each(['response', 'passthrough', 'observable'])(
    'get their tokens with an interceptor and the answer by %s',
    async (way) => {
      const app = await start();
      const id = await app.begin('ada');
      const answer = await app.get(`ways/${way}`, 'ada');
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual({ id });
    },
  );

  it('get their tokens with server-sent events', async () => {
    const app = await start();
    const id = await app.begin('ada');
    expect((await app.get('ways/events', 'ada')).text).toContain(`data: id is ${id}`);
    expect((await app.get('ways/events', 'bob')).status).toBe(404);
  });
});
