import { describe, expect, it } from '@jest/globals';
import { BerbixWebhookService, InMemoryTokenStore, type BerbixModuleOptions } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { rejectionOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  type Services,
} from '../support/services.js';
import { everyViewOf, quietNest } from '../support/sinks.js';

quietNest();

const fail = (): never => {
  throw new RangeError('canary');
};
const withName = (name: PropertyDescriptor): Error =>
  Object.defineProperties(new Error('canary'), { name, code: name });

/** What code of the application may throw. */
const HOSTILE: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['a symbol', () => Symbol('canary')],
  ['an object without a prototype', () => Object.create(null) as unknown],
  ['an error whose name is a symbol', () => withName({ value: Symbol('canary') })],
  ['an error whose name cannot be read', () => withName({ get: fail })],
  ['a proxy that throws', () => new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail })],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
];

interface Place {
  readonly code: string;
  /** The options whose code throws. */
  readonly options: (doThrow: () => never) => Partial<BerbixModuleOptions>;
  readonly call: (services: Services, refreshToken: string) => unknown;
  readonly hasTokens?: true;
}

const refresh: Place['call'] = ({ tokens }, token) => tokens.refresh(token);
const asksStore: Place['call'] = ({ tokens }) => tokens.fresh({ customerUid: 'ada' });

const PLACES: Record<string, Place> = {
  onRotation: {
    code: 'BERBIX_STORE',
    options: (onRotation) => ({ onRotation, freshness: { rotation: 'strict' } }),
    call: refresh,
    hasTokens: true,
  },
  loadTokens: { code: 'BERBIX_STORE', options: (loadTokens) => ({ loadTokens }), call: asksStore },
  apiSecret: {
    code: 'BERBIX_CONFIGURATION',
    options: (apiSecret) => ({ apiSecret }),
    call: refresh,
  },
  'the secrets of a webhook': {
    code: 'BERBIX_CONFIGURATION',
    options: (finished) => ({ webhooks: { finished } }),
    call: ({ module }) =>
      module.get(BerbixWebhookService).verify({
        kind: 'finished',
        header: `v0,1,${'a'.repeat(64)}`,
        rawBody: Buffer.from('{}'),
      }),
  },
  'a store': {
    code: 'BERBIX_STORE',
    options: (load) => ({ store: changed(new InMemoryTokenStore(), { load }) }),
    call: asksStore,
  },
  'an interceptor': {
    code: 'BERBIX_CONNECTION',
    options: (doThrow) => ({
      http: { configureAxios: (axios) => void axios.interceptors.request.use(doThrow) },
    }),
    call: refresh,
  },
};

describe.each(Object.entries(PLACES))('%s', (_place, { code, options, call, hasTokens }) => {
  it.each(HOSTILE)('that throws %s fails a call with an error of this package', async (_, make) => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const { refreshToken } = await createTransaction(sandbox, await servicesFor(sandbox));
    const services = await servicesFor(
      sandbox,
      options(() => {
        throw make();
      }),
    );
    const error = await rejectionOf(async () => {
      const result = call(services, refreshToken);
      return await (result instanceof Promise ? result : firstValueFrom(result as never));
    });
    expect(error).toMatchObject({ code });
    if (hasTokens) expect(error).toHaveProperty('tokens.refreshToken');
    expect(await everyViewOf(error as Error)).not.toContain('canary');
  });
});
