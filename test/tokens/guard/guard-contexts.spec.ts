import { describe, expect, it } from '@jest/globals';
import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { BerbixModule, BerbixTokens, FreshTokens, RequireFreshTokens } from 'nestjs-berbix';
import { from, mergeMap, type Observable } from 'rxjs';
import { closeAfterTest } from '../../support/closing.js';
import { createTransaction, servicesFor, startSandbox } from '../../support/services.js';

// Calls with the arguments that GraphQL, microservices and WebSockets pass, also unusual ones and
// many at once. `transports.spec.ts` tries the real packages.

/** What names the customer of a call; a message that is only text is the name. */
type Named = { customerUid: string } | string;

/** What the resolver last received. */
let asked: unknown;

/** Holds calls back between guard and parameters until the expected number has arrived. */
let together = 1;
const waiting: (() => void)[] = [];

@Injectable()
class GateInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const passed = new Promise<void>((resolve) => waiting.push(resolve));
    if (waiting.length === together) for (const go of waiting.splice(0)) go();
    return from(passed).pipe(mergeMap(() => next.handle()));
  }
}

function whose(request: Named): { customerUid: string } {
  asked = request;
  return typeof request === 'string' ? { customerUid: request } : request;
}

@Injectable()
@UseInterceptors(GateInterceptor)
class Handlers {
  @RequireFreshTokens(whose)
  one(@FreshTokens() tokens: BerbixTokens): unknown {
    return tokens.transactionId;
  }

  /** Handles the same event as the first. */
  @RequireFreshTokens(() => ({ customerUid: 'bob' }))
  other(@FreshTokens() tokens: BerbixTokens): unknown {
    return tokens.transactionId;
  }

  /** Whose it is depends on the arguments of a GraphQL field. */
  @RequireFreshTokens((_, context) => context.getArgByIndex(1))
  field(@FreshTokens() tokens: BerbixTokens): unknown {
    return tokens.transactionId;
  }

  @RequireFreshTokens(whose)
  none(): string {
    return 'in';
  }
}

type Call = (...args: unknown[]) => Promise<unknown>;

interface World {
  ada: string;
  bob: string;
  /** Calls a method in a context of this type. */
  as(type: string, method?: keyof Handlers): Call;
}

async function start(): Promise<World> {
  [asked, together] = [undefined, 1];
  const sandbox = await startSandbox();
  const services = await servicesFor(sandbox);
  const rows = new Map<string, BerbixTokens>();
  for (const uid of ['ada', 'bob']) rows.set(uid, await createTransaction(sandbox, services));
  const module = await Test.createTestingModule({
    imports: [
      BerbixModule.forRoot({
        apiSecret: sandbox.apiSecret,
        apiHost: sandbox.url,
        loadTokens: async (owner) =>
          'customerUid' in owner ? rows.get(owner.customerUid)?.refreshToken : undefined,
      }),
    ],
    providers: [Handlers],
  }).compile();
  closeAfterTest(() => module.close());
  const creator = module.get(ExternalContextCreator);
  const handlers = module.get(Handlers);
  return {
    ada: rows.get('ada')?.transactionId as string,
    bob: rows.get('bob')?.transactionId as string,
    as: (type, method = 'one') =>
      creator.create(
        handlers,
        handlers[method] as () => unknown,
        method,
        '__routeArguments__',
        { exchangeKeyForValue: () => undefined },
        undefined,
        undefined,
        { guards: true, interceptors: true, filters: false },
        type,
      ),
  };
}

const [ADA, BOB] = [{ customerUid: 'ada' }, { customerUid: 'bob' }];
const CALLBACK = (): void => {};

/** What all calls share: the root value of GraphQL, a client, a command. */
const SHARED = { shared: true };

/** The arguments of a call for a customer, for each kind of call. */
const CALLS: [string, string, (owner: { customerUid: string }) => unknown[]][] = [
  ['a GraphQL field', 'graphql', (req) => [SHARED, {}, { req }, { fieldName: 'result' }]],
  ['a GraphQL field without root', 'graphql', (req) => [undefined, {}, { req }, {}]],
  ['a GraphQL field whose context is the request', 'graphql', (req) => [SHARED, {}, req, {}]],
  ['a GraphQL reference', 'graphql', (req) => [SHARED, { req }, {}]],
  ['a message with a context', 'rpc', (data) => [data, { pattern: 'result' }]],
  ['a message of a text', 'rpc', ({ customerUid }) => [customerUid, { pattern: 'result' }]],
  ['a message without a context', 'rpc', (data) => [{ ...data }]],
  ['a gRPC call', 'rpc', (data) => [data, { metadata: true }, SHARED]],
  ['a gRPC stream', 'rpc', (data) => [{ ...data }, CALLBACK]],
  ['a WebSocket message', 'ws', (data) => [SHARED, { ...data }, 'result']],
  ['a WebSocket message to be acknowledged', 'ws', (data) => [SHARED, { ...data }, CALLBACK, 'r']],
  ['a WebSocket message of a pattern', 'ws', (data) => [SHARED, { ...data }, SHARED]],
  ['an update of a chat', 'telegraf', (update) => [{ ...update }, CALLBACK]],
  ['a command of a chat', 'necord', (interaction) => [{ ...interaction }, SHARED]],
];

describe.each(CALLS)('%s', (_what, type, argsFor) => {
  it('is admitted with the tokens of its customer, also concurrently with another one', async () => {
    const { ada, bob, as } = await start();
    const call = as(type);
    expect(await call(...argsFor(ADA))).toBe(ada);
    expect([ADA, 'ada']).toContainEqual(asked);
    together = 4;
    const calls = [ADA, BOB, ADA, BOB].map((owner) => call(...argsFor(owner)));
    expect(await Promise.all(calls)).toEqual([ada, bob, ada, bob]);
  });

  it('is refused if there are no tokens for its customer', async () => {
    const { as } = await start();
    const calling = as(type)(...argsFor({ customerUid: 'eve' }));
    await expect(calling).rejects.toMatchObject({ code: 'BERBIX_NOT_FOUND' });
  });
});

it.each([
  ['rpc', ['ada']],
  ['rpc', ['ada', CALLBACK]],
  ['ws', [SHARED, 'ada', 'result']],
  ['ws', [SHARED, 'ada', SHARED]],
])(
  'a call of type %s with %j, which cannot be distinguished from others, has no tokens for a parameter',
  async (type, args) => {
    const { as } = await start();
    expect(await as(type, 'none')(...args)).toBe('in');
    await expect(as(type)(...args)).rejects.toMatchObject({
      code: 'BERBIX_CONFIGURATION',
      message:
        '@FreshTokens() cannot distinguish this call from others, since its data is not an object. Send an object, or call BerbixTokenService.fresh() in the handler.',
    });
  },
);

it('two fields of one GraphQL operation get their own tokens', async () => {
  const { ada, bob, as } = await start();
  const context = { req: {} };
  together = 2;
  const calls = [ADA, BOB].map((args) =>
    as('graphql', 'field')(SHARED, args, context, { fieldName: 'result' }),
  );
  expect(await Promise.all(calls)).toEqual([ada, bob]);
});

it('two handlers of one event get their own tokens', async () => {
  const { ada, bob, as } = await start();
  const args = [ADA, { pattern: 'finished' }];
  together = 2;
  const calls = [as('rpc')(...args), as('rpc', 'other')(...args)];
  expect(await Promise.all(calls)).toEqual([ada, bob]);
});
