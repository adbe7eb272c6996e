import { beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import {
  BerbixHealthService,
  BerbixModule,
  BerbixTokenService,
  InMemoryTokenStore,
  getBerbixToken,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { BerbixHealthIndicator } from 'nestjs-berbix/terminus';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { firstValueFrom } from 'rxjs';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  installClock,
  type Services,
  servicesFor,
  startSandbox,
} from '../support/services.js';
import { quietNest } from '../support/sinks.js';

quietNest();

/** A store that fails or does not answer, on demand. */
class UnreliableStore extends InMemoryTokenStore {
  state: 'up' | 'failing' | 'silent' = 'up';

  override load(key: string): Promise<StoredRecord | undefined> {
    if (this.state === 'failing') return Promise.reject(new Error('down'));
    return this.state === 'silent' ? new Promise(() => {}) : super.load(key);
  }
}

let sandbox: BerbixSandbox;
let store: UnreliableStore;
let services: Services;
beforeEach(async () => {
  sandbox = await startSandbox();
  store = new UnreliableStore();
  services = await servicesFor(sandbox, { store });
});

const check = () => services.module.get(BerbixHealthService).check();

/** Tokens in memory. */
async function know(): Promise<void> {
  const tokens = await createTransaction(sandbox, services);
  await firstValueFrom(services.tokens.remember({ tokens, customerUid: 'ada' }));
  await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
}

/** As many failures as open the circuit. */
async function openCircuit(): Promise<void> {
  sandbox.faults.add({ kind: 'status', status: 503, times: 10 });
  for (let call = 0; call < 10; call += 1) await errorOf(services.tokens.refresh(`rt_${call}`));
}

describe('the health of an account', () => {
  it('is up at the start', async () => {
    expect(await check()).toEqual({ status: 'up', berbix: 'up', store: 'up' });
    expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(0);
  });

  it('is down without the store and without tokens in memory', async () => {
    store.state = 'failing';
    expect(await check()).toEqual({
      status: 'down',
      berbix: 'up',
      store: 'down',
      message: expect.stringMatching(
        /^The token store \(the memory of this process\) cannot be reached/,
      ),
    });
  });

  it('is degraded without the store while memory has tokens', async () => {
    await know();
    store.state = 'silent';
    expect(await check()).toMatchObject({
      status: 'degraded',
      store: 'down',
      message: 'The token store (the memory of this process) did not answer within 500 ms.',
    });
    expect(
      (await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }))).accessToken,
    ).toMatch(/^at_/);
    store.state = 'up';
    expect(await check()).toMatchObject({ status: 'up' });
  });

  it('is degraded while Berbix is down, until it answers again', async () => {
    const clock = installClock();
    await openCircuit();
    expect(await check()).toEqual({
      status: 'degraded',
      berbix: 'down',
      store: 'up',
      message: expect.stringMatching(/^Berbix failed too often/),
    });
    clock.advance(5_000);
    await errorOf(services.tokens.refresh('rt_unknown'));
    expect(await check()).toMatchObject({ status: 'up' });
  });

  it('is degraded while the function that returns the API secret fails', async () => {
    let isSealed = true;
    const apiSecret = async (): Promise<string> => {
      if (isSealed) throw new Error('hvs_token is sealed');
      return sandbox.apiSecret;
    };
    services = await servicesFor(sandbox, { apiSecret } as Partial<BerbixModuleOptions>);
    await errorOf(services.tokens.refresh('rt_1'));
    expect(await check()).toEqual({
      status: 'degraded',
      berbix: 'down',
      store: 'up',
      message: 'The function given as apiSecret failed, so Berbix cannot be called.',
    });
    isSealed = false;
    // Whatever the answer, there was a secret to send.
    sandbox.faults.add({ kind: 'status', status: 503 });
    await errorOf(services.tokens.refresh('rt_1'));
    expect(await check()).toMatchObject({ status: 'up' });
  });

  it('is degraded while that function does not answer, but not because a caller was in a hurry', async () => {
    const apiSecret = (): Promise<string> => new Promise(() => {});
    services = await servicesFor(sandbox, { apiSecret });
    await errorOf(services.tokens.refresh('rt_1', { timeoutMs: 1 }));
    expect(await check()).toMatchObject({ status: 'up' });
    services = await servicesFor(sandbox, { apiSecret, totalTimeoutMs: 100 });
    await errorOf(services.tokens.refresh('rt_1'));
    expect(await check()).toMatchObject({ status: 'degraded', berbix: 'down' });
  });

  it('is down without the store if all tokens in memory have expired', async () => {
    await know();
    store.state = 'failing';
    expect(await check()).toMatchObject({ status: 'degraded' });
    installClock().advance(3_600_000);
    expect(await check()).toMatchObject({ status: 'down', store: 'down' });
  });

  it('does not keep callers away for ever: without a call, a failure is outdated', async () => {
    const clock = installClock();
    await openCircuit();
    // Half open for half a minute, and no call has come.
    clock.advance(34_000);
    expect(await check()).toMatchObject({ status: 'degraded' });
    clock.advance(2_000);
    expect(await check()).toMatchObject({ status: 'up', berbix: 'up' });
    const wrong = { apiSecret: 'secret_test_wrong', apiHost: sandbox.url } as BerbixModuleOptions;
    services = await servicesFor(sandbox, wrong);
    await errorOf(services.tokens.refresh('rt_1'));
    await errorOf(services.tokens.refresh('rt_2'));
    clock.advance(29_000);
    expect(await check()).toMatchObject({ status: 'down' });
    clock.advance(2_000);
    expect(await check()).toMatchObject({ status: 'up' });
  });

  it('says all of it while everything is down', async () => {
    await openCircuit();
    store.state = 'failing';
    const { message, ...rest } = await check();
    expect(rest).toEqual({ status: 'down', berbix: 'down', store: 'down' });
    expect(message).toMatch(/^Berbix failed too often .* The token store .* cannot be reached/);
  });

  it('is down while the API secret is refused', async () => {
    const wrong = { apiSecret: 'secret_test_wrong', apiHost: sandbox.url } as BerbixModuleOptions;
    services = await servicesFor(sandbox, wrong);
    await errorOf(services.tokens.refresh('rt_1'));
    await errorOf(services.tokens.refresh('rt_2'));
    expect(await check()).toEqual({
      status: 'down',
      berbix: 'down',
      store: 'up',
      message: expect.stringMatching(/^Berbix refuses the API secret\./),
    });
    expect(JSON.stringify(await check())).not.toContain('secret_test_wrong');
  });

  it('stays down if the API fails, or something else answers, since that does not prove the secret', async () => {
    let apiSecret = 'secret_test_wrong';
    services = await servicesFor(sandbox, { apiSecret: () => apiSecret });
    await errorOf(createTransaction(sandbox, services));
    sandbox.faults.add({ kind: 'status', status: 503 });
    sandbox.faults.add({ kind: 'status', status: 429 });
    sandbox.faults.add({ kind: 'answer', body: '<html>' });
    for (let call = 0; call < 3; call++) {
      await errorOf(services.tokens.refresh('rt_1'));
      expect(await check()).toMatchObject({ status: 'down' });
    }
    apiSecret = sandbox.apiSecret;
    await errorOf(services.tokens.refresh('rt_1'));
    expect(await check()).toMatchObject({ status: 'up' });
  });

  it('is down if the API secret is refused for a new transaction, which no refresh token explains', async () => {
    const wrong = { apiSecret: 'secret_test_wrong', apiHost: sandbox.url } as BerbixModuleOptions;
    services = await servicesFor(sandbox, wrong);
    await errorOf(createTransaction(sandbox, services));
    expect(await check()).toMatchObject({ status: 'down' });
  });

  it('does not take one refresh token that is refused for the API secret', async () => {
    const refuse = (): void => {
      sandbox.faults.add({ kind: 'status', status: 401, path: '/v0/tokens' });
    };
    const { refreshToken } = await createTransaction(sandbox, services);
    for (const token of ['rt_1', 'rt_1']) {
      refuse();
      expect(await errorOf(services.tokens.refresh(token))).toMatchObject({
        code: 'BERBIX_AUTHENTICATION',
      });
      expect(await check()).toMatchObject({ status: 'up' });
    }
    await firstValueFrom(services.tokens.refresh(refreshToken));
    refuse();
    await errorOf(services.tokens.refresh('rt_2'));
    expect(await check()).toMatchObject({ status: 'up' });
    refuse();
    await errorOf(services.tokens.refresh('rt_1'));
    expect(await check()).toMatchObject({ status: 'down' });
    // One that is refused again keeps it down.
    refuse();
    await errorOf(services.tokens.refresh('rt_2'));
    expect(await check()).toMatchObject({ status: 'down' });
  });
});

describe('the indicator for @nestjs/terminus', () => {
  @Controller()
  class ReadinessController {
    constructor(
      @Inject(HealthCheckService) private readonly health: HealthCheckService,
      @Inject(BerbixHealthIndicator) private readonly berbix: BerbixHealthIndicator,
    ) {}

    @Get('ready')
    @HealthCheck()
    ready() {
      return this.health.check([() => this.berbix.isHealthy('berbix', 'eu')]);
    }
  }

  /** The status and the body of the readiness route, and the services behind it. */
  async function start() {
    const { apiSecret, url: apiHost } = sandbox;
    @Module({
      imports: [
        TerminusModule,
        BerbixModule.forRoot({ account: 'eu', apiSecret, apiHost, retry: 0, store }),
      ],
      controllers: [ReadinessController],
      providers: [BerbixHealthIndicator],
    })
    class Application {}
    const module = await Test.createTestingModule({ imports: [Application] }).compile();
    const app = module.createNestApplication();
    closeAfterTest(() => app.close());
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/ready`;
    const tokens = module.get<BerbixTokenService>(getBerbixToken(BerbixTokenService, 'eu'));
    return { tokens, indicator: module.get(BerbixHealthIndicator), get: () => fetch(url) };
  }

  it('answers 200 while the account serves, and 503 when it cannot', async () => {
    const { get } = await start();
    const up = await get();
    expect([up.status, await up.json()]).toEqual([
      200,
      expect.objectContaining({
        status: 'ok',
        details: { berbix: { status: 'up', berbix: 'up', store: 'up' } },
      }),
    ]);
    store.state = 'failing';
    const down = await get();
    expect([down.status, await down.json()]).toEqual([
      503,
      expect.objectContaining({
        error: {
          berbix: expect.objectContaining({
            status: 'down',
            store: 'down',
            message: expect.stringContaining('The token store (the memory of this process)'),
          }),
        },
      }),
    ]);
  });

  it('is degraded with Terminus 12, and up with degraded: true before', async () => {
    const { tokens, get, indicator } = await start();
    services = { ...services, tokens };
    await openCircuit();
    const answer = await get();
    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({
        details: { berbix: expect.objectContaining({ status: 'degraded', berbix: 'down' }) },
      }),
    ]);
    // Terminus 11 has no degraded().
    const session = { up: (data: object) => ({ berbix: { status: 'up', ...data } }) };
    Object.assign(indicator, { indicators: { check: () => session } });
    expect(await indicator.isHealthy('berbix', 'eu')).toEqual({
      berbix: expect.objectContaining({ status: 'up', degraded: true, berbix: 'down' }),
    });
  });

  it('says so if the account is not registered', async () => {
    const { indicator } = await start();
    await expect(indicator.isHealthy('berbix')).rejects.toThrow(
      'BerbixHealthIndicator needs BerbixModule.forRoot without an account, or an account in the second argument of isHealthy.',
    );
  });
});
