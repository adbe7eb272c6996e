import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  BerbixEvents,
  BerbixInvalidRefreshTokenError,
  BerbixModule,
  BerbixVerificationService,
  BerbixWebhookService,
  InMemoryTokenStore,
  OnBerbixWebhook,
  getBerbixToken,
  type BerbixEvent,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import {
  BerbixTestingModule,
  FakeBerbix,
  type FakeClock,
  sampleWebhookBody,
  signBerbixWebhook,
} from 'nestjs-berbix/testing';
import type { TestingModule } from '@nestjs/testing';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  installClock,
  servicesFor,
  startModule,
  startSandbox,
} from '../support/services.js';
import { quietNest } from '../support/sinks.js';
import { until } from '../support/until.js';

quietNest();

let clock: FakeClock;
beforeEach(() => {
  clock = installClock();
});

/** Records the events of the account of a module. */
function record(module: TestingModule, account?: string): BerbixEvent[] {
  const events: BerbixEvent[] = [];
  module
    .get<BerbixEvents>(getBerbixToken(BerbixEvents, account))
    .events$.subscribe((event) => events.push(event));
  return events;
}

/** Waits for as many events, and returns them without what each of them has. */
async function details(events: BerbixEvent[], count: number): Promise<object[]> {
  await until(() => events.length >= count);
  return events.map((event) => {
    expect(event).toMatchObject({ at: expect.any(Date), account: 'default' });
    return { ...event, at: undefined, account: undefined };
  });
}

const kinds = (events: BerbixEvent[]): BerbixEvent['kind'][] => events.map(({ kind }) => kind);

describe('events of tokens', () => {
  it('tell of each exchange and its reason', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const { transactionId = '' } = created;
    const { tokens } = services;
    await firstValueFrom(tokens.remember({ tokens: created, customerUid: 'ada' }));
    const events = record(services.module);
    await firstValueFrom(tokens.refresh(created));
    clock.advance(0.9 * 3_600_000);
    // Stale: served, and renewed in the background.
    await firstValueFrom(tokens.fresh({ transactionId }));
    await until(() => events.length === 2);
    clock.advance(3_600_000);
    const { accessToken: refused } = await firstValueFrom(tokens.fresh({ transactionId }));
    await until(() => events.length === 3);
    // New tokens are not refused at once.
    clock.advance(120_000);
    await firstValueFrom(tokens.fresh({ transactionId }, { refused }));
    const exchanged = { kind: 'token.exchanged', transactionId, durationMs: expect.any(Number) };
    expect(await details(events, 4)).toEqual([
      { ...exchanged, reason: 'forced' },
      { ...exchanged, reason: 'proactive' },
      { ...exchanged, reason: 'expired' },
      { ...exchanged, reason: 'refused' },
    ]);
  });

  it('tell of a failure and of a replaced refresh token', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox, {
      freshness: { rotation: 'strict' },
      onRotation: () => {},
    });
    const created = await createTransaction(sandbox, services);
    const { transactionId } = created;
    const events = record(services.module);
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens' });
    await errorOf(services.tokens.refresh(created));
    clock.advance(60_000);
    await firstValueFrom(services.tokens.refresh(created));
    const exchange = { transactionId, reason: 'forced', durationMs: expect.any(Number) };
    expect(await details(events, 3)).toEqual([
      { kind: 'token.failed', ...exchange, code: 'BERBIX_SERVER', retryable: true },
      { kind: 'token.exchanged', ...exchange },
      { kind: 'token.rotated', transactionId },
    ]);
  });

  it('call the answer for another transaction a failure, and no rotation', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    const events = record(services.module);
    const foreign = { access_token: 'a', client_token: 'c', expires_in: 3600, transaction_id: 5 };
    sandbox.faults.add({ kind: 'answer', body: { ...foreign, refresh_token: 'rt_of_eve' } });
    const { code } = await errorOf(services.tokens.refresh(created));
    expect(await details(events, 1)).toMatchObject([{ kind: 'token.failed', code }]);
    sandbox.faults.add({ kind: 'reset', processed: true });
    // It is repeated, so the API does not count as one that replaces refresh tokens.
    await firstValueFrom(services.tokens.refresh(created));
    expect(await details(events, 2)).toMatchObject([{ code }, { kind: 'token.exchanged' }]);
  });

  it.each(['fresh', 'refresh'] as const)(
    'tell when a refresh token is dead that is passed to %s()',
    async (method) => {
      const sandbox = await startSandbox();
      const services = await servicesFor(sandbox);
      const created = await createTransaction(sandbox, services);
      await firstValueFrom(services.transactions.delete(created));
      const events = record(services.module);
      for (const token of ['rt_unknown', created.refreshToken]) {
        const twice = [services.tokens[method](token), services.tokens[method](token)];
        await Promise.all(twice.map((call) => errorOf(call)));
      }
      await until(() => kinds(events).filter((kind) => kind === 'token.failed').length === 2);
      const dead = { kind: 'token.dead', retryable: false };
      expect(events).toMatchObject([
        { kind: 'token.failed' },
        { ...dead, code: 'BERBIX_INVALID_REFRESH_TOKEN' },
        { kind: 'token.failed' },
        { ...dead, code: 'BERBIX_GONE' },
      ]);
    },
  );

  it('tell when a refresh token is dead, works again, and is forgotten', async () => {
    const berbix = new FakeBerbix();
    const module = await startModule(BerbixTestingModule.forRoot({ berbix }));
    const { tokens, verifications } = berbix;
    const events = record(module);
    await firstValueFrom(verifications.begin('ada', { templateKey: 'tmk_x' }));
    clock.advance(3_600_000);
    berbix.failNext(new BerbixInvalidRefreshTokenError('It is unknown.'));
    await errorOf(tokens.fresh({ customerUid: 'ada' }));
    clock.advance(61_000);
    await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
    await until(() => events.length === 6);
    expect(kinds(events)).toEqual([
      'verification.begun',
      'token.failed',
      'token.dead',
      'token.exchanged',
      'token.recovered',
      'token.forgotten',
    ]);
    expect(events[2]).toMatchObject({
      customerUid: 'ada',
      code: 'BERBIX_INVALID_REFRESH_TOKEN',
      retryable: false,
    });
    expect(events[5]).toMatchObject({ customerUid: 'ada' });
  });
});

describe('an event of a new refresh token that the store does not take', () => {
  it('tells whose it is when the application closes', async () => {
    const store = new UnreliableStore();
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox, { store });
    const { module, tokens } = services;
    const created = await createTransaction(sandbox, services);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: created }));
    const events = record(module);
    clock.advance(3_600_000);
    store.isReadOnly = true;
    const error = errorOf(tokens.fresh({ customerUid: 'ada' }));
    await until(() => kinds(events).includes('store.failed'));
    expect(kinds(events)).not.toContain('token.unsaved');
    await module.close();
    await error;
    await until(() => kinds(events).includes('token.unsaved'));
    const { transactionId } = created;
    expect(events.at(-1)).toMatchObject({ customerUid: 'ada', transactionId });
  });
});

describe('an event of a new refresh token that onRotation does not take', () => {
  it('tells whose it is when the application closes', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox, {
      onRotation: () => {
        throw new Error('the database is down');
      },
    });
    const { module, tokens } = services;
    const { refreshToken, transactionId } = await createTransaction(sandbox, services);
    const events = record(module);
    await errorOf(tokens.refresh(refreshToken));
    await module.close();
    await until(() => kinds(events).includes('token.unsaved'));
    expect(events.at(-1)).toMatchObject({ transactionId });
  });
});

describe('an event of tokens that are forgotten', () => {
  it('has the reference alone, not what else was passed', async () => {
    const { module, tokens } = await servicesFor(await startSandbox());
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'rt_x' }));
    const events = record(module);
    const row = {
      customerUid: 'ada',
      refresh_token: 'rt_secret',
      account: 'eu',
      kind: 'circuit.opened',
    };
    await firstValueFrom(tokens.forget(row));
    expect(await details(events, 1)).toEqual([{ kind: 'token.forgotten', customerUid: 'ada' }]);
  });

  it('does not come if there was nothing to remove', async () => {
    const services = await servicesFor(await startSandbox());
    const { module, tokens } = services;
    const verifications = module.get(BerbixVerificationService);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'rt_x' }));
    const events = record(module);
    for (const customerUid of ['nobody', 'ada', 'ada']) {
      await firstValueFrom(tokens.forget({ customerUid }));
      await firstValueFrom(verifications.erase(customerUid));
    }
    await firstValueFrom(tokens.forget({ transactionId: '5' }));
    await errorOf(tokens.refresh('rt_unknown'));
    await until(() => kinds(events).includes('token.failed'));
    expect(kinds(events).filter((kind) => kind === 'token.forgotten')).toHaveLength(1);
  });

  it('comes once if tokens are remembered while their customer is erased', async () => {
    const sandbox = await startSandbox();
    const store = new InMemoryTokenStore();
    const services = await servicesFor(sandbox, { store });
    const remember = async (): Promise<void> => {
      const tokens = await createTransaction(sandbox, services);
      await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens }));
    };
    await remember();
    await firstValueFrom(services.tokens.remember({ customerUid: 'bob', tokens: 'rt_x' }));
    const events = record(services.module);
    jest.spyOn(store, 'forget').mockImplementationOnce(() => remember().then(() => false));
    await firstValueFrom(services.module.get(BerbixVerificationService).erase('ada'));
    await firstValueFrom(services.tokens.forget({ customerUid: 'bob' }));
    const told = await details(events, 2);
    expect(told).toMatchObject([{ customerUid: 'ada' }, { customerUid: 'bob' }]);
  });
});

describe('events of verifications', () => {
  it('tell when one begins and is resumed', async () => {
    const sandbox = await startSandbox();
    const { module } = await servicesFor(sandbox);
    const events = record(module);
    const verifications = module.get(BerbixVerificationService);
    const options = { templateKey: sandbox.templateKeys.sdk };
    await firstValueFrom(verifications.begin('ada', options));
    await firstValueFrom(verifications.begin('ada', options));
    const about = { customerUid: 'ada', transactionId: expect.stringMatching(/^\d+$/) };
    expect(await details(events, 2)).toEqual([
      { kind: 'verification.begun', ...about },
      { kind: 'verification.resumed', ...about },
    ]);
  });
});

describe('events of outages', () => {
  it('tell when the circuit opens and closes', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const events = record(services.module);
    sandbox.faults.add({ kind: 'status', status: 503, times: 10 });
    for (let call = 0; call < 10; call += 1) await errorOf(services.tokens.refresh(`rt_${call}`));
    await until(() => kinds(events).includes('circuit.opened'));
    await errorOf(services.tokens.refresh('rt_unknown'));
    // An attempt that fails keeps it open.
    sandbox.faults.add({ kind: 'status', status: 503 });
    clock.advance(5_000);
    await errorOf(services.tokens.refresh('rt_unknown'));
    clock.advance(5_000);
    await errorOf(services.tokens.refresh('rt_unknown'));
    await until(() => kinds(events).includes('circuit.closed'));
    expect(kinds(events).filter((kind) => kind.startsWith('circuit'))).toEqual([
      'circuit.opened',
      'circuit.closed',
    ]);
  });

  it('tell of the first failure of the store, and when it answers again', async () => {
    const store = new UnreliableStore();
    const { module, tokens } = await servicesFor(await startSandbox(), { store });
    const events = record(module);
    store.isDown = true;
    for (let call = 0; call < 3; call += 1) await errorOf(tokens.fresh({ customerUid: 'ada' }));
    store.isDown = false;
    for (let call = 0; call < 3; call += 1) await errorOf(tokens.fresh({ customerUid: 'ada' }));
    store.isDown = true;
    await errorOf(tokens.fresh({ customerUid: 'ada' }));
    const failed = { kind: 'store.failed', code: 'BERBIX_STORE', retryable: true };
    expect(await details(events, 3)).toEqual([failed, { kind: 'store.recovered' }, failed]);
  });
});

class UnreliableStore extends InMemoryTokenStore {
  isDown = false;
  isReadOnly = false;

  override load(key: string): Promise<StoredRecord | undefined> {
    return this.isDown ? Promise.reject(new Error('down')) : super.load(key);
  }

  override commit(...args: [string, number, string]): Promise<number | undefined> {
    return this.isReadOnly ? Promise.reject(new Error('read-only')) : super.commit(...args);
  }
}

describe('events of webhooks', () => {
  const secret = 'whs_test_finished';
  const body = sampleWebhookBody({ action: 'accept' });

  class Handler {
    isFailing = false;

    @OnBerbixWebhook('status')
    handle(): void {
      if (this.isFailing) throw new Error('The mailer is down.');
    }
  }

  it('tell of what was accepted, rejected, handled, repeated and failed', async () => {
    const webhooks = { status: secret };
    const options = { apiSecret: 'secret_test_x', webhooks } satisfies BerbixModuleOptions;
    const module = await startModule({
      module: class Application {},
      imports: [BerbixModule.forRoot(options)],
      providers: [Handler],
    });
    await module.init();
    const events = record(module);
    const service = module.get(BerbixWebhookService);
    const header = signBerbixWebhook({ body, secret });
    const webhook = await service.verify({ kind: 'status', header, rawBody: body });
    await service.verify({ kind: 'status', header: 'v0,1,wrong', rawBody: body }).catch(() => {});
    await service.handle(webhook);
    await service.handle(webhook);
    module.get(Handler).isFailing = true;
    await service.handle(Object.assign(webhook, { action: 'reject' })).catch(() => {});
    const about = { webhook: 'status', transactionId: webhook.transactionId };
    expect(await details(events, 6)).toEqual([
      { kind: 'webhook.accepted', ...about },
      {
        kind: 'webhook.rejected',
        webhook: 'status',
        code: 'BERBIX_WEBHOOK_SIGNATURE',
        retryable: false,
      },
      {
        kind: 'verification.decided',
        transactionId: webhook.transactionId,
        customerUid: webhook.customerUid,
        action: 'accept',
      },
      { kind: 'webhook.handled', ...about },
      { kind: 'webhook.repeated', ...about },
      { kind: 'webhook.failed', ...about },
    ]);
  });

  it('tell of a signature that is refused alone, and of a result that nothing handles', async () => {
    const webhooks = { status: secret, confirmUnhandled: true };
    const module = await startModule(
      BerbixModule.forRoot({ apiSecret: 'secret_test_x', webhooks }),
    );
    await module.init();
    const events = record(module);
    const service = module.get(BerbixWebhookService);
    const forged = { kind: 'status', header: 'v0,1,wrong', rawBody: body } as const;
    await service.verifySignature(forged).catch(() => {});
    const header = signBerbixWebhook({ body, secret });
    const webhook = await service.verify({ kind: 'status', header, rawBody: body });
    expect(await service.handle(webhook)).toBe('ignored');
    await until(() => events.length === 3);
    expect(kinds(events)).toEqual(['webhook.rejected', 'webhook.accepted', 'verification.decided']);
  });
});
