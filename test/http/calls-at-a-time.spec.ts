import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { NoTurn } from '../../lib/concurrency/index.js';
import { mapNoTurn } from '../../lib/http/overload-guard.js';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  listening,
  servicesFor,
  startSandbox,
  startServices,
  type Services,
} from '../support/services.js';
import { until } from '../support/until.js';

const IMAGE = { imageSubject: 'document_front', data: Buffer.from('image') } as const;

/** An API that answers all but uploads, and how many of them it has got. */
async function withoutUploads(connections?: number): Promise<Services & { uploads: number[] }> {
  const uploads: number[] = [];
  const apiHost = await listening(
    createServer((request, response) => {
      request.resume();
      if (request.url === '/v0/images/upload') return void uploads.push(uploads.length);
      response.setHeader('content-type', 'application/json');
      response.end('{"access_token":"a","client_token":"c","expires_in":60}');
    }),
  );
  const services = await startServices({
    apiSecret: 's',
    apiHost,
    totalTimeoutMs: 5_000,
    http: { connections },
  });
  return { ...services, uploads };
}

describe('uploads', () => {
  it('leave most connections to other calls', async () => {
    const { tokens, transactions, uploads } = await withoutUploads();
    const errors: unknown[] = [];
    const hanging = Array.from({ length: 40 }, () =>
      transactions
        .uploadImages(sampleTokens(), [IMAGE])
        .subscribe({ error: (error) => errors.push(error) }),
    );
    await until(() => uploads.length >= 8);
    expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
    expect(uploads).toHaveLength(8);
    // An upload that is given up makes room for the next.
    hanging[0]?.unsubscribe();
    await until(() => uploads.length === 9);
    for (const upload of hanging) upload.unsubscribe();
    expect(errors).toEqual([]);
  });

  it.each([
    [2, 1],
    [7, 1],
    [8, 2],
  ])('have at most a quarter of %i connections, but at least one: %i', async (all, quarter) => {
    const { tokens, transactions, uploads } = await withoutUploads(all);
    const hanging = Array.from({ length: 4 }, () =>
      transactions.uploadImages(sampleTokens(), [IMAGE]).subscribe({ error: () => {} }),
    );
    await until(() => uploads.length >= quarter);
    // Another upload would have been sent by then.
    await firstValueFrom(tokens.refresh('rt'));
    expect(uploads).toHaveLength(quarter);
    for (const upload of hanging) upload.unsubscribe();
  });
});

describe('the limit of calls at a time', () => {
  it('lets one call through per connection, and the others as these end', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { http: { connections: 3 } });
    const created = await Promise.all(
      Array.from({ length: 10 }, () => createTransaction(sandbox, services)),
    );
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'hang', times: 3 });
    const hanging = created
      .slice(0, 3)
      .map((tokens) => services.tokens.refresh(tokens).subscribe());
    const waiting = created
      .slice(3)
      .map((tokens) => firstValueFrom(services.tokens.refresh(tokens)));
    await until(() => sandbox.requests.length === 3);
    expect(sandbox.requests.length).toBe(3);
    for (const subscription of hanging) subscription.unsubscribe();
    expect(await Promise.all(waiting)).toHaveLength(7);
  });

  it('refuses calls if a thousand already wait', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { http: { connections: 1 } });
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    const refused: unknown[] = [];
    const subscriptions = Array.from({ length: 1001 }, (_, index) =>
      tokens.refresh(`rt_${index}`).subscribe({ error: (error) => refused.push(error) }),
    );
    expect(await errorOf(tokens.refresh('rt_one_too_many'))).toMatchObject({
      code: 'BERBIX_UNAVAILABLE',
      retryable: true,
      message: '1000 calls are already waiting for Berbix. Slow down, or raise http.connections.',
    });
    expect(refused).toEqual([]);
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
});

describe('a call whose turn would come too late', () => {
  it('says when to try again', () => {
    expect(mapNoTurn(new NoTurn('late', 1_500))).toMatchObject({
      code: 'BERBIX_UNAVAILABLE',
      retryable: true,
      retryAfterMs: 1_500,
      message: expect.stringContaining('could not end within its time limit'),
    });
  });
});
