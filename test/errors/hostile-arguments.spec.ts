import { describe, expect, it } from '@jest/globals';
import {
  BerbixError,
  BerbixModule,
  BerbixTokenService,
  BerbixTokens,
  BerbixTransactionService,
  BerbixVerificationService,
  BerbixWebhookService,
  ClientTokenDto,
  InjectBerbix,
  OnBerbixWebhook,
  RequireFreshTokens,
  createBerbixWebhookController,
  getBerbixToken,
  isBerbixError,
} from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { quietNest } from '../support/sinks.js';
import { startModule } from '../support/services.js';

quietNest();

const fail = (): never => {
  throw new RangeError('canary');
};

/** What an argument may be through a mistake, malice or plain JavaScript. */
const HOSTILE: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['0', () => 0],
  ['NaN', () => NaN],
  ['true', () => true],
  ['a BigInt', () => 1n],
  ['a symbol', () => Symbol('canary')],
  ['an empty text', () => ''],
  ['half of an emoji', () => '\ud83d'],
  ['a list', () => []],
  ['an object', () => ({})],
  ['an object without a prototype', () => Object.create(null) as unknown],
  ['a function', () => () => 'canary'],
  ['an invalid date', () => new Date(NaN)],
  ['a proxy that throws', () => new Proxy({}, { get: fail, has: fail, ownKeys: fail })],
  [
    'an object whose getters throw',
    () =>
      new Proxy(
        {},
        {
          get: fail,
          has: () => true,
          ownKeys: () => ['canary'],
          getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, get: fail }),
        },
      ),
  ],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
  ['a value whose conversion throws', () => ({ valueOf: fail, toString: fail, toJSON: fail })],
];

/** The methods with valid arguments, so that one argument at a time is hostile. */
type Method = readonly [name: string, ...arguments_: unknown[]];

const good = sampleTokens();
const options = { templateKey: 'tpk' };
const transaction = { customerUid: 'ada', ...options };
const callOptions = { signal: new AbortController().signal, timeoutMs: 10_000 };

const SERVICES: [string, new (...args: never[]) => object, Method[]][] = [
  [
    'BerbixTokenService',
    BerbixTokenService,
    [
      ['refresh', good, callOptions],
      ['fresh', { customerUid: 'ada' }, { leewayMs: 1, ...callOptions }],
      ['remember', { customerUid: 'ada', tokens: good }],
      ['forget', { customerUid: 'ada' }],
    ],
  ],
  [
    'BerbixTransactionService',
    BerbixTransactionService,
    [
      [
        'create',
        { ...transaction, email: 'ada@example.com', matchData: { givenName: 'Ada' } },
        callOptions,
      ],
      ['createHosted', { ...transaction, completionEmail: 'a@b.example', redirectUrl: 'a://b' }],
      ['createApiOnly', { ...transaction, idCountry: 'us', idType: 'DL' }],
      ['fetch', good, callOptions],
      ['update', good, { action: 'accept', note: 'n' }],
      ['override', good, { responsePayload: 'us-dl', flags: ['f'], overrideFields: { a: 'b' } }],
      ['delete', good],
      ['uploadImages', good, [{ imageSubject: 'document_front', data: 'abcd', format: 'jpg' }]],
      ['uploadIdScan', good, 'abcd', callOptions],
    ],
  ],
  [
    'BerbixVerificationService',
    BerbixVerificationService,
    [
      ['begin', 'ada', { ...options, kind: 'sdk', again: true, email: 'ada@example.com' }],
      ['reverify', 'ada', { ...options, kind: 'hosted', redirectUrl: 'a://b' }],
      ['result', 'ada', callOptions],
      ['history', 'ada'],
      ['erase', 'ada'],
    ],
  ],
  [
    'BerbixWebhookService',
    BerbixWebhookService,
    [
      ['verify', { kind: 'finished', header: 'v0,1,a', rawBody: Buffer.from('{}') }],
      ['verifySignature', { kind: 'finished', header: 'v0,1,a', rawBody: Buffer.from('{}') }],
      ['handle', { kind: 'finished', transactionId: '1', customerUid: 'ada' }],
    ],
  ],
];

/** The arguments, each time with one of them or one of their properties replaced. */
function variants(goods: unknown[], hostile: unknown): unknown[][] {
  return goods.flatMap((argument, index) => {
    const replaced = [hostile];
    if (typeof argument === 'object' && argument !== null && argument !== good) {
      const copy = (key: string): unknown =>
        Array.isArray(argument)
          ? argument.map((item: object) => ({ ...item, [key]: hostile }))
          : { ...argument, [key]: hostile };
      const names = Object.keys(Array.isArray(argument) ? (argument[0] as object) : argument);
      replaced.push(...names.map(copy), [hostile], { customerUid: hostile, transactionId: '1' });
    }
    if (argument === good) {
      const names = ['refreshToken', 'accessToken', 'clientToken', 'expiresAt', 'transactionId'];
      const init = { refreshToken: 'rt', accessToken: 'at', lifetimeMs: 1 };
      replaced.push(...[...names, 'lifetimeMs'].map((name) => ({ ...init, [name]: hostile })));
      replaced.push({ customerUid: hostile }, { transactionId: hostile });
    }
    return replaced.map((value) => goods.with(index, value));
  });
}

type Call = (...all: unknown[]) => Observable<unknown> | Promise<unknown>;

/** The error of a call; undefined if it succeeds. */
async function endOf(call: Observable<unknown> | Promise<unknown>): Promise<unknown> {
  try {
    await (isObservable(call) ? lastValueFrom(call, { defaultValue: undefined }) : call);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function startServices(): Promise<Awaited<ReturnType<typeof startModule>>> {
  return startModule(
    BerbixModule.forRoot({
      apiSecret: 'secret_test_x',
      // Nothing listens there: what is sent ends in an error of this package.
      apiHost: 'http://127.0.0.1:1',
      retry: 0,
      webhooks: { finished: 'whsec_x' },
    }),
  );
}

describe.each(SERVICES)('%s', (_service, ServiceClass, methods) => {
  it('is tested with all its public methods', () => {
    const lifecycle =
      /^(constructor|on[A-Z]|beforeApplicationShutdown|cached$|forgetIfUnchanged$|withClientToken$)/;
    const names = Object.getOwnPropertyNames(ServiceClass.prototype);
    expect(methods.map(([name]) => name)).toEqual(names.filter((name) => !lifecycle.test(name)));
  });

  it.each(HOSTILE)('never fails with a foreign error: %s', async (_what, make) => {
    const service = (await startServices()).get(ServiceClass) as Record<string, Call>;
    for (const [name, ...goods] of methods) {
      for (const given of variants(goods, make())) {
        const call = service[name]!.apply(service, given);
        const error = await endOf(call);
        if (error === undefined) continue;
        expect([name, (error as Error).stack, isBerbixError(error)]).toEqual([
          name,
          expect.not.stringContaining('canary'),
          true,
        ]);
      }
    }
  });

  it.each(HOSTILE)('refuses it as the first argument: %s', async (_what, make) => {
    const service = (await startServices()).get(ServiceClass) as Record<string, Call>;
    for (const [name, , ...goods] of methods) {
      const call = service[name]!.call(service, make(), ...goods);
      expect([name, await endOf(call)]).toEqual([name, expect.any(BerbixError)]);
    }
  });
});

describe('functions that are called directly', () => {
  it.each<[string, (hostile: never) => unknown]>([
    ['new BerbixTokens()', (hostile) => new BerbixTokens(hostile)],
    ['BerbixTokens.fromRefresh()', (hostile) => BerbixTokens.fromRefresh(hostile)],
    ['needsRefresh()', (hostile) => good.needsRefresh(hostile)],
    ['ClientTokenDto.of()', (hostile) => ClientTokenDto.of(hostile)],
    ['isBerbixError()', (hostile) => isBerbixError(hostile)],
  ])('%s throws no foreign error', (_name, call) => {
    for (const [what, make] of HOSTILE) {
      expect([what, foreign(() => call(make() as never))]).toEqual([what, undefined]);
    }
  });
});

/** Without throwing getters: at boot, their errors are the application's own and stay unchanged. */
const MISTAKEN = HOSTILE.filter(([what]) => !/throw|revoked/.test(what));

describe('declarations', () => {
  it.each<[string, (mistaken: never) => unknown]>([
    ['BerbixModule.forRootAsync()', (mistaken) => BerbixModule.forRootAsync(mistaken)],
    ['@RequireFreshTokens()', (mistaken) => RequireFreshTokens(mistaken)],
    ['getBerbixToken()', (mistaken) => getBerbixToken(mistaken, 'eu')],
    ['@InjectBerbix()', (mistaken) => InjectBerbix(BerbixTokenService, mistaken)],
    ['@OnBerbixWebhook()', (mistaken) => OnBerbixWebhook(mistaken)],
    ['createBerbixWebhookController()', (mistaken) => createBerbixWebhookController(mistaken)],
  ])('%s throws no foreign error', (_name, declare) => {
    for (const [what, make] of MISTAKEN) {
      expect([what, foreign(() => declare(make() as never))]).toEqual([what, undefined]);
    }
  });

  // A function is valid: it returns the API secret.
  it.each(MISTAKEN.filter(([what]) => what !== 'a function'))(
    'BerbixModule.forRoot(): %s stops the boot',
    async (_what, make) => {
      const boot = (async () => startModule(BerbixModule.forRoot(make() as never)))();
      await expect(boot).rejects.toBeInstanceOf(BerbixError);
    },
  );
});

/** The error that a function throws, unless it is one of this package. */
function foreign(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof BerbixError ? undefined : error;
  }
}
