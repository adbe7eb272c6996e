import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Logger, Module, Scope, type Type } from '@nestjs/common';
import {
  BerbixConfigurationError,
  BerbixEvents,
  BerbixModule,
  BerbixTokenService,
  OnBerbixEvent,
  getBerbixToken,
  type BerbixEvent,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { NEVER, firstValueFrom, throwError } from 'rxjs';
import { EventBus } from '../../lib/events/index.js';
import { createTransaction, servicesFor, startModule, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';

let sandbox: BerbixSandbox;
let heard: string[];
beforeEach(async () => {
  heard = [];
  sandbox = await startSandbox();
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Starts an application with these providers, and exchanges a refresh token. */
async function exchangeWith(...providers: Type[]): Promise<BerbixTokenService> {
  const { apiSecret, url: apiHost } = sandbox;
  const module = await startModule({
    module: class Application {},
    imports: [BerbixModule.forRoot({ apiSecret, apiHost })],
    providers,
  });
  await module.init();
  const tokens = module.get(BerbixTokenService);
  const created = await createTransaction(sandbox, await servicesFor(sandbox));
  await firstValueFrom(tokens.refresh(created.refreshToken));
  return tokens;
}

describe('@OnBerbixEvent', () => {
  it('calls the method with the events of its kinds', async () => {
    class Audit {
      @OnBerbixEvent('token.exchanged')
      @OnBerbixEvent('token.failed')
      write({ kind, account }: BerbixEvent<'token.exchanged' | 'token.failed'>): void {
        heard.push(`${account}: ${kind}`);
      }

      // @ts-expect-error The method takes events of another kind.
      @OnBerbixEvent('token.rotated')
      mistaken({ code }: BerbixEvent<'token.dead'>): void {
        heard.push(code);
      }
    }
    const tokens = await exchangeWith(Audit);
    await firstValueFrom(tokens.refresh('rt_unknown')).catch(() => {});
    await until(() => heard.length === 2);
    expect(heard).toEqual(['default: token.exchanged', 'default: token.failed']);
  });

  it('logs what a handler throws, and neither waits for it nor fails', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    class Troubled {
      @OnBerbixEvent('token.exchanged')
      throws(): void {
        throw new TypeError('No audit.');
      }

      @OnBerbixEvent('token.exchanged')
      rejects(): unknown {
        return throwError(() => new RangeError('No audit.'));
      }

      @OnBerbixEvent('token.exchanged')
      async rejectsWithoutText(): Promise<void> {
        throw Object.create(null);
      }

      @OnBerbixEvent('token.exchanged')
      hangs(): unknown {
        return NEVER;
      }

      @OnBerbixEvent('token.exchanged')
      works(): void {
        heard.push('works');
      }
    }
    await exchangeWith(Troubled);
    await until(() => errors.mock.calls.length === 3);
    expect(heard).toEqual(['works']);
    expect(errors.mock.calls.map(([message]) => message).toSorted()).toEqual([
      'Troubled.rejects failed on a token.exchanged event: RangeError: No audit.',
      'Troubled.rejectsWithoutText failed on a token.exchanged event: object',
      'Troubled.throws failed on a token.exchanged event: TypeError: No audit.',
    ]);
    const stacks = errors.mock.calls.map(([, stack]) => String(stack).split('\n')[0]);
    expect(stacks.toSorted()).toEqual([
      'RangeError: No audit.',
      'TypeError: No audit.',
      'undefined',
    ]);
  });

  it('may call the services again', async () => {
    let tokens: BerbixTokenService | undefined;
    class Insistent {
      @OnBerbixEvent('token.failed')
      async again({ reason }: BerbixEvent<'token.failed'>): Promise<void> {
        heard.push(reason);
        if (heard.length < 3 && tokens !== undefined)
          await firstValueFrom(tokens.refresh('rt_unknown')).catch(() => {});
      }
    }
    tokens = await exchangeWith(Insistent);
    await firstValueFrom(tokens.refresh('rt_unknown')).catch(() => {});
    await until(() => heard.length === 3);
    expect(heard).toEqual(['forced', 'forced', 'forced']);
  });

  it('runs outside the context of the request', async () => {
    const request = new AsyncLocalStorage<string>();
    class Audit {
      @OnBerbixEvent('token.forgotten')
      @OnBerbixEvent('token.failed')
      write({ kind }: BerbixEvent): void {
        heard.push(`${kind} ${request.getStore()}`);
      }
    }
    const tokens = await exchangeWith(Audit);
    await firstValueFrom(tokens.remember({ customerUid: 'ada', tokens: 'rt_x' }));
    // The events of one moment are delivered together; the next one is to come alone.
    await setImmediate();
    await request.run('of ada', async () => {
      await firstValueFrom(tokens.forget({ customerUid: 'ada' }));
      await firstValueFrom(tokens.refresh('rt_unknown')).catch(() => {});
    });
    await until(() => heard.length === 2);
    expect(heard).toEqual(['token.forgotten undefined', 'token.failed undefined']);
  });

  it('hears of its own account', async () => {
    @Injectable()
    class Audit {
      @OnBerbixEvent('token.failed', 'eu')
      write({ account }: BerbixEvent): void {
        heard.push(account);
      }
    }
    const { apiSecret, url: apiHost } = sandbox;
    const module = await startModule({
      module: class Application {},
      imports: ['eu', 'us'].map((account) => BerbixModule.forRoot({ account, apiSecret, apiHost })),
      providers: [Audit],
    });
    await module.init();
    for (const account of ['us', 'eu']) {
      const tokens = module.get<BerbixTokenService>(getBerbixToken(BerbixTokenService, account));
      await firstValueFrom(tokens.refresh('rt_unknown')).catch(() => {});
    }
    await until(() => heard.length === 1);
    expect(heard).toEqual(['eu']);
  });

  it('stops the boot if it can never be called', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @OnBerbixEvent('token.failed')
      write(): void {}
    }
    @Module({ imports: [BerbixModule.forRoot('secret_test_x')], providers: [Scoped] })
    class Application {}
    const module = await startModule({ module: Application });
    await expect(module.init()).rejects.toThrow(
      /^Scoped\.write cannot handle events: its class is request-scoped/,
    );
  });

  it('knows the kinds', () => {
    expect(() => OnBerbixEvent('token.expired' as never)).toThrow(BerbixConfigurationError);
    expect(() => OnBerbixEvent('token.expired' as never)).toThrow(/one of token\.exchanged, /);
  });
});

describe('a diagnostics channel', () => {
  it('has the same events, also without Nest', async () => {
    const listener = (event: unknown): unknown => heard.push((event as BerbixEvent).kind);
    subscribe('nestjs-berbix:token.exchanged', listener);
    try {
      await exchangeWith();
      await until(() => heard.length === 1);
    } finally {
      unsubscribe('nestjs-berbix:token.exchanged', listener);
    }
    await exchangeWith();
    expect(heard).toEqual(['token.exchanged']);
  });
});

describe('a listener', () => {
  it('hears of what happens while it listens, and of nothing before or after', async () => {
    const bus = new EventBus('default');
    const listen = (name: string): (() => void) =>
      bus.listen(({ kind }) => heard.push(`${name}: ${kind}`));
    const leave = listen('early');
    bus.listen(({ kind }) => {
      if (kind === 'circuit.opened') listen('from another listener');
      if (kind === 'store.recovered') heard.push('end');
    });
    bus.emit('circuit.opened', () => ({}));
    listen('late');
    bus.emit('circuit.closed', () => ({}));
    await until(() => heard.length >= 3);
    bus.emit('store.recovered', () => ({}));
    leave();
    await until(() => heard.includes('end'));
    expect(heard).toEqual([
      'early: circuit.opened',
      'early: circuit.closed',
      'late: circuit.closed',
      'end',
      'late: store.recovered',
      'from another listener: store.recovered',
    ]);
  });
});

describe('an event', () => {
  it('cannot be changed by one listener for the others', async () => {
    const bus = new EventBus('default');
    const events: BerbixEvent[] = [];
    bus.listen((event) => events.push(event));
    bus.emit('token.rotated', () => ({ transactionId: '1' }));
    await until(() => events.length === 1);
    expect(() => Object.assign(events[0]!, { transactionId: '2' })).toThrow(TypeError);
  });
});

describe('without a listener', () => {
  it('no event is made', () => {
    const bus = new EventBus('default');
    const describeEvent = jest.fn(() => ({}));
    bus.emit('circuit.opened', describeEvent);
    bus.listen(() => {})();
    bus.emit('circuit.opened', describeEvent);
    new BerbixEvents(bus).events$.subscribe().unsubscribe();
    bus.emit('circuit.opened', describeEvent);
    expect(describeEvent).not.toHaveBeenCalled();
  });
});
