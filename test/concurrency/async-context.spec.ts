import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BerbixWebhookService, type BerbixModuleOptions } from 'nestjs-berbix';
import { catchError, concatMap, firstValueFrom, map, of } from 'rxjs';
import { sampleWebhookBody } from 'nestjs-berbix/testing';
import { InMemoryTokenStore, type BerbixTokenStore } from '../../lib/token-store/index.js';
import { readWebhook } from '../../lib/webhooks/dto/berbix-webhook.dto.js';
import { changed } from '../support/changed-store.js';
import { usualOrLong } from '../support/long.js';
import { startServices, type Services } from '../support/services.js';
import { until } from '../support/until.js';
import { handling, replica } from '../webhooks/support/replicas.js';
import { callEach, loads, request, seen, unevenApi } from './support/contexts.js';

/** An account whose secret and interceptor show in which request they ran. */
function telling(url: string, options: Partial<BerbixModuleOptions>): Promise<Services> {
  return startServices({
    apiSecret: async () => {
      await setTimeout(1);
      return seen();
    },
    apiHost: url,
    retry: 0,
    ...options,
    http: {
      configureAxios: ({ interceptors }) =>
        interceptors.request.use((config) => {
          config.headers.set('x-trace', seen());
          return config;
        }),
      ...options.http,
    },
  });
}

describe('the async context of a caller', () => {
  it("is used by the caller's own calls: the secret, the interceptors and what follows", () =>
    fc.assert(
      fc.asyncProperty(loads, async ({ connections, callers, delays }) => {
        const api = await unevenApi(delays);
        const { transactions } = await telling(api.url, { http: { connections } });
        const results = await callEach(callers, (id) =>
          firstValueFrom(
            transactions.create({ customerUid: id, templateKey: 'tmpl' }).pipe(map(seen)),
          ),
        );
        for (const { id, value, after } of results) expect([value, after]).toEqual([id, id]);
        expect(api.requests).toHaveLength(callers);
        for (const { secret, trace, body } of api.requests) {
          expect([secret, trace]).toEqual([body.customer_uid, body.customer_uid]);
        }
      }),
      { numRuns: usualOrLong(6, 200) },
    ));

  it('is kept after a shared exchange, which runs in the context of no caller', () =>
    fc.assert(
      fc.asyncProperty(loads, async ({ connections, callers, delays }) => {
        const api = await unevenApi(delays);
        const { tokens } = await telling(api.url, { http: { connections } });
        const results = await callEach(callers, (id) =>
          firstValueFrom(
            tokens.refresh(`refresh-${Number(id.at(-1)) % 2}`).pipe(concatMap(async () => seen())),
          ),
        );
        for (const { id, value, after } of results) expect([value, after]).toEqual([id, id]);
        expect(api.requests).toHaveLength(2);
        for (const { secret, trace } of api.requests) {
          expect([secret, trace]).toEqual(['none', 'none']);
        }
      }),
      { numRuns: usualOrLong(5, 200) },
    ));

  it('is kept after a shared error', async () => {
    const { tokens } = await telling('http://127.0.0.1:9', {});
    const results = await callEach(4, (_id) =>
      firstValueFrom(tokens.refresh('refresh').pipe(catchError(() => of(seen())))),
    );
    for (const { id, value, after } of results) expect([value, after]).toEqual([id, id]);
  });

  it('is kept after a renewal that waits for its turn, whose hooks run in the context of no caller', () =>
    fc.assert(
      fc.asyncProperty(loads, async ({ connections, callers, delays }) => {
        const api = await unevenApi(delays);
        const hooks: string[] = [];
        const key = randomBytes(32);
        const { tokens } = await telling(api.url, {
          http: { connections },
          encryption: {
            keyProvider: {
              current: () => {
                hooks.push(seen());
                return { id: 'k', key };
              },
              byId: () => key,
            },
          },
          loadTokens: async (owner) => {
            hooks.push(seen());
            await setTimeout(1);
            return `refresh-of-${(owner as { customerUid: string }).customerUid}`;
          },
        });
        const results = await callEach(callers, (id) =>
          firstValueFrom(
            // Two callers for each customer.
            tokens.fresh({ customerUid: `${Number(id.split('_')[1]) >> 1}` }).pipe(map(seen)),
          ),
        );
        for (const { id, value, after } of results) expect([value, after]).toEqual([id, id]);
        expect(api.requests).toHaveLength(Math.ceil(callers / 2));
        for (const { secret } of api.requests) expect(secret).toBe('none');
        expect(new Set(hooks)).toEqual(new Set(['none']));
      }),
      { numRuns: usualOrLong(5, 200) },
    ));

  it("is used by the caller's own calls to the store, even after a wait for their turn", () =>
    fc.assert(
      fc.asyncProperty(loads, async ({ delays }) => {
        const mistaken: string[] = [];
        const store = uneven(delays, (key) => {
          const uid = /customer\/(request_\d+)$/.exec(key)?.[1];
          if (uid !== undefined && uid !== seen()) mistaken.push(`${key} in ${seen()}`);
        });
        const { tokens } = await startServices({ apiSecret: 's', store });
        const results = await callEach(80, (id) =>
          firstValueFrom(tokens.remember({ customerUid: id, tokens: `refresh-${id}` })),
        );
        for (const { id, after } of results) expect(after).toBe(id);
        expect(mistaken).toEqual([]);
      }),
      { numRuns: usualOrLong(3, 50) },
    ));

  it('is not used by work for all webhooks', async () => {
    const memory = new InMemoryTokenStore();
    const sweeps: string[] = [];
    const store = changed(memory, {
      keys: async (prefix) => {
        sweeps.push(seen());
        return memory.keys(prefix);
      },
    });
    const app = await replica(store);
    const service = app.module.get(BerbixWebhookService);
    const webhook = readWebhook('status', Buffer.from(sampleWebhookBody()));
    const handled: string[] = [];
    handling.work = () => handled.push(seen());
    await request.run('a webhook', () => service.handle(webhook));
    await until(() => sweeps.length === 1);
    expect([handled, sweeps]).toEqual([['a webhook'], ['none']]);
    await app.close();
  });
});

/** A store whose calls take different times. */
function uneven(delays: readonly number[], onCall: (key: string) => void): BerbixTokenStore {
  const memory = new InMemoryTokenStore();
  let calls = 0;
  const slow = <A extends [string, ...unknown[]], R>(method: (...args: A) => Promise<R>) =>
    (async (...args: A): Promise<R> => {
      onCall(args[0]);
      await setTimeout(delays[calls++ % delays.length]);
      return method.apply(memory, args);
    }) as (...args: A) => Promise<R>;
  return changed(memory, {
    load: slow(memory.load),
    lease: slow(memory.lease),
    commit: slow(memory.commit),
    release: slow(memory.release),
  });
}
