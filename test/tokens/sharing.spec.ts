import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BerbixEvents, type BerbixTokens } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { Observable, firstValueFrom, forkJoin, map, mergeMap, of } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  type Services,
} from '../support/services.js';
import { until } from '../support/until.js';

interface Setting {
  sandbox: BerbixSandbox;
  services: Services;
  created: BerbixTokens;
}

async function setting(): Promise<Setting> {
  const sandbox = await startSandbox();
  const services = await servicesFor(sandbox);
  const created = await createTransaction(sandbox, services);
  sandbox.requests.clear();
  return { sandbox, services, created };
}

const arrived = (sandbox: BerbixSandbox, count: number): Promise<void> =>
  until(() => sandbox.requests.length === count);

describe('concurrent callers of one refresh token', () => {
  it('share one exchange and get the same tokens', async () => {
    const { sandbox, services, created } = await setting();
    const callers = Array.from({ length: 1000 }, (_, index) =>
      services.tokens.refresh(index % 2 ? created : created.refreshToken),
    );
    const tokens = await firstValueFrom(forkJoin(callers));
    expect(sandbox.requests.length).toBe(1);
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
  });

  it('share the error of a failed exchange', async () => {
    const { sandbox, services, created } = await setting();
    sandbox.faults.add({ kind: 'status', status: 503 });
    const errors = await Promise.all(
      [1, 2, 3].map(() => errorOf(services.tokens.refresh(created.refreshToken))),
    );
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('BERBIX_SERVER'));
    expect(sandbox.requests.length).toBe(1);
  });

  it('make a new exchange after the previous one has ended', async () => {
    const { sandbox, services, created } = await setting();
    const again = services.tokens
      .refresh(created)
      .pipe(
        mergeMap((first) => services.tokens.refresh(first).pipe(map((second) => [first, second]))),
      );
    const [first, second] = await firstValueFrom(again);
    expect(first?.accessToken).not.toBe(second?.accessToken);
    expect(sandbox.requests.length).toBe(2);
  });

  it('do not share it with callers of another refresh token', async () => {
    const { sandbox, services, created } = await setting();
    const other = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    const [a, b] = await firstValueFrom(
      forkJoin([services.tokens.refresh(created), services.tokens.refresh(other)]),
    );
    expect(a?.transactionId).not.toBe(b?.transactionId);
    expect(sandbox.requests.length).toBe(2);
  });

  it('one who leaves does not abort the others', async () => {
    const { sandbox, services, created } = await setting();
    sandbox.faults.add({ kind: 'latency', ms: 200 });
    const leaver = services.tokens.refresh(created).subscribe(() => {
      throw new Error('left, but called');
    });
    const stayer = firstValueFrom(services.tokens.refresh(created));
    await arrived(sandbox, 1);
    leaver.unsubscribe();
    expect((await stayer).accessToken).toBeDefined();
    expect(sandbox.requests.length).toBe(1);
  });

  it('one who leaves before anything was sent sends nothing', async () => {
    const { sandbox, services, created } = await setting();
    const other = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    services.tokens.refresh(created).subscribe().unsubscribe();
    await firstValueFrom(services.tokens.refresh(other));
    expect(sandbox.requests.length).toBe(1);
  });

  it('the last one to leave aborts it, and the next caller starts a new one', async () => {
    const { sandbox, services, created } = await setting();
    const events: string[] = [];
    services.module.get(BerbixEvents).events$.subscribe(({ kind }) => events.push(kind));
    sandbox.faults.add({ kind: 'hang' });
    const [one, two] = [1, 2].map(() => services.tokens.refresh(created).subscribe());
    await arrived(sandbox, 1);
    const hanging = sandbox.requests.last;
    one?.unsubscribe();
    two?.unsubscribe();

    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
    expect(sandbox.requests.length).toBe(2);
    expect(hanging?.status).toBeUndefined();
    // That nobody waits any more is no failure.
    await until(() => events.includes('token.exchanged'));
    expect(events).toEqual(['token.exchanged']);
  });

  it('share the new one, also after the end of the aborted one', async () => {
    const { sandbox, services, created } = await setting();
    const refresh = () => services.tokens.refresh(created.refreshToken);
    sandbox.faults.add({ kind: 'hang' });
    const left = refresh().subscribe();
    await arrived(sandbox, 1);
    left.unsubscribe();
    const first = firstValueFrom(refresh());
    // Enough for the end of the aborted exchange, and too short for an answer.
    await setImmediate();
    const second = firstValueFrom(refresh());
    expect((await first).accessToken).toBe((await second).accessToken);
    expect(sandbox.requests.length).toBe(2);
  });

  it('a caller who expects another transaction gets an error, and the others get tokens', async () => {
    const { services, created } = await setting();
    const mistaken = { refreshToken: created.refreshToken, transactionId: '1' } as BerbixTokens;
    const [right, wrong] = await Promise.all([
      firstValueFrom(services.tokens.refresh(created)),
      errorOf(services.tokens.refresh(mistaken)),
    ]);
    expect(right.accessToken).toBeDefined();
    expect(wrong.code).toBe('BERBIX_RESPONSE');
  });

  it('a caller whose own code throws does not disturb the others', async () => {
    const { services, created } = await setting();
    const failing = firstValueFrom(
      services.tokens.refresh(created).pipe(
        map((): never => {
          throw new TypeError('of the caller');
        }),
      ),
    );
    const working = firstValueFrom(services.tokens.refresh(created));
    await expect(failing).rejects.toThrow('of the caller');
    expect((await working).accessToken).toBeDefined();
  });

  it('can be joined through firstValueFrom, pipes and plain subscriptions alike', async () => {
    const { sandbox, services, created } = await setting();
    const plain = new Promise<BerbixTokens>((resolve, reject) => {
      services.tokens.refresh(created).subscribe({ next: resolve, error: reject });
    });
    const piped = firstValueFrom(
      of(created).pipe(
        mergeMap((tokens): Observable<BerbixTokens> => services.tokens.refresh(tokens)),
      ),
    );
    expect((await plain).accessToken).toBe((await piped).accessToken);
    expect(sandbox.requests.length).toBe(1);
  });
});
