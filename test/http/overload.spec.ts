import { createServer, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom, type Observable } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  installClock,
  listening,
  type Services,
  servicesFor,
  startSandbox,
  startServices,
} from '../support/services.js';
import { until } from '../support/until.js';

const IMAGE = { imageSubject: 'document_front', data: Buffer.from('image') } as const;

const neverAnswers = (): Promise<never> => new Promise(() => {});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the circuit breaker', () => {
  it.each([
    ['correct', 0],
    ['set back an hour', -3_600_000],
    ['set forward an hour', 3_600_000],
  ])(
    'opens, and closes when the API answers again, with a host clock that is %s',
    async (_, aheadMs) => {
      const sandbox = await startSandbox();
      const services = await servicesFor(sandbox);
      const created = await createTransaction(sandbox, services);
      sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
      for (let call = 0; call < 30; call++) await errorOf(services.tokens.refresh(`rt_${call}`));

      const now = Date.now.bind(Date);
      jest.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
      sandbox.requests.clear();
      const error = await errorOf(services.tokens.refresh(created));
      expect(error).toMatchObject({
        code: 'BERBIX_UNAVAILABLE',
        retryable: true,
        retryAfterMs: expect.any(Number),
      });
      expect(error.retryAfterMs).toBeGreaterThan(0);
      expect(error.retryAfterMs).toBeLessThanOrEqual(5000);
      expect(sandbox.requests.length).toBe(0);

      sandbox.faults.clear();
      const elapsed = performance.now.bind(performance);
      jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + 5_000);
      expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
      expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
    },
  );

  it.each([
    ['ten in 25 seconds', Array<number>(10).fill(2_500)],
    ['five, a pause of 15 seconds, and five more', [0, 0, 0, 0, 15_000, 0, 0, 0, 0, 0]],
    ['nine in one second', Array<number>(9).fill(100)],
  ])('counts the failures of the last ten seconds: it stays closed after %s', async (_, pauses) => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const clock = installClock();
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    for (const [call, pauseMs] of pauses.entries()) {
      expect((await errorOf(tokens.refresh(`rt_${call}`))).code).toBe('BERBIX_SERVER');
      clock.advance(pauseMs);
    }
    expect((await errorOf(tokens.refresh('rt_next'))).code).toBe('BERBIX_SERVER');
  });

  it('opens after ten failures in ten seconds', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const clock = installClock();
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    for (let call = 0; call < 10; call++) {
      expect((await errorOf(tokens.refresh(`rt_${call}`))).code).toBe('BERBIX_SERVER');
      clock.advance(800);
    }
    expect((await errorOf(tokens.refresh('rt_next'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  it('does not count the failures from before it opened once it has closed', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const clock = installClock();
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    for (let call = 0; call < 10; call++) await errorOf(services.tokens.refresh(`rt_${call}`));
    clock.advance(5_000);
    sandbox.faults.clear();
    await firstValueFrom(services.tokens.refresh(created));
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    for (let call = 0; call < 2; call++) {
      expect((await errorOf(services.tokens.refresh('rt_later'))).code).toBe('BERBIX_SERVER');
    }
  });

  it('counts the failures of a transaction again after ten seconds', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const clock = installClock();
    sandbox.faults.add({ kind: 'status', status: 500, times: Infinity });
    const failTwice = async (token: string): Promise<void> => {
      for (let call = 0; call < 2; call++) {
        expect((await errorOf(tokens.refresh(token))).code).toBe('BERBIX_SERVER');
      }
    };
    for (const token of ['rt_1', 'rt_2', 'rt_3', 'rt_4']) await failTwice(token);
    clock.advance(11_000);
    for (const token of ['rt_1', 'rt_2', 'rt_3', 'rt_4', 'rt_5']) await failTwice(token);
    expect((await errorOf(tokens.refresh('rt_1'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  const bad = sampleTokens({ refreshToken: 'rt_bad', accessToken: 'at_bad' });
  it.each([
    ['exchanges', ({ tokens }: Services) => tokens.refresh(bad.refreshToken)],
    ['fetches', ({ transactions }: Services) => transactions.fetch(bad)],
    [
      'creations',
      ({ transactions }: Services) =>
        transactions.create({ customerUid: 'uid_bad', templateKey: 'tmpl' }),
    ],
  ])('stays closed for the others if the API fails for one of them: %s', async (_what, callOf) => {
    const url = await failingFor('bad');
    const services = await startServices({
      apiSecret: 's',
      apiHost: url,
      retry: { limit: 2, backoffLimit: 1 },
    });
    for (let call = 0; call < 10; call++) {
      expect((await errorOf(callOf(services))).code).toBe('BERBIX_SERVER');
    }
    for (let call = 0; call < 3; call++) {
      expect((await firstValueFrom(services.tokens.refresh(`rt_${call}`))).accessToken).toBe('a');
    }
  });

  it.each([401, 404, 410])('stays closed on %i, since the API is healthy', async (status) => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'status', status, times: 40 });
    for (let call = 0; call < 40; call++) await errorOf(services.tokens.refresh('rt_any'));
    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
  });

  it('stays closed if callers leave, since that says nothing about the API', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'hang', times: 30 });
    for (let call = 1; call <= 30; call++) {
      const subscription = services.tokens.refresh(created).subscribe();
      await until(() => sandbox.requests.length === call);
      subscription.unsubscribe();
    }
    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
  });

  it('stays closed if calls wait for a connection until their time limit', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, {
      totalTimeoutMs: 1_000,
      http: { connections: 1 },
    });
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    // An upload may take minutes, and has the only connection.
    sandbox.faults.add({ kind: 'hang' });
    const upload = services.transactions
      .uploadImages(created, [IMAGE])
      .subscribe({ error: () => {} });
    await until(() => sandbox.requests.length === 1);
    const calls = Array.from({ length: 40 }, (_, call) =>
      errorOf(services.tokens.refresh(`rt_${call}`)),
    );
    for (const { code } of await Promise.all(calls)) expect(code).toBe('BERBIX_TIMEOUT');
    upload.unsubscribe();
    expect((await firstValueFrom(services.tokens.refresh(created))).accessToken).toBeDefined();
  });

  it.each([
    ['the function that gives the API secret hangs', { apiSecret: neverAnswers }],
    [
      'an interceptor hangs',
      {
        http: { configureAxios: ({ interceptors }) => void interceptors.request.use(neverAnswers) },
      },
    ],
  ] satisfies [string, Partial<BerbixModuleOptions>][])(
    'stays closed if %s, since that says nothing about the API',
    async (_what, options) => {
      const sandbox = await startSandbox();
      const { tokens } = await servicesFor(sandbox, { timeoutMs: 50, ...options });
      for (let call = 0; call < 20; call++) {
        expect((await errorOf(tokens.refresh('rt_any'))).code).not.toBe('BERBIX_UNAVAILABLE');
      }
    },
  );

  it('lets one call through while half open, and another after that one was abandoned', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    sandbox.faults.add({ kind: 'status', status: 500, times: 20 });
    for (let call = 0; call < 20; call++) await errorOf(tokens.refresh(`rt_${call}`));
    expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_UNAVAILABLE');
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    sandbox.requests.clear();

    const elapsed = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + 5_000);
    const calls = Array.from({ length: 10 }, (_, call) =>
      tokens.refresh(`rt_${call}`).subscribe({ error: () => {} }),
    );
    await until(() => sandbox.requests.length === 1);
    for (const [index, call] of calls.slice(0, 3).entries()) {
      call.unsubscribe();
      await until(() => sandbox.requests.length > index + 1);
      expect(sandbox.requests.length).toBe(index + 2);
    }
    for (const call of calls) call.unsubscribe();
  });

  it('lets no call wait for an upload while half open', async () => {
    const { services, api } = await halfOpen();
    const upload = services.transactions
      .uploadImages(sampleTokens(), [IMAGE])
      .subscribe({ error: () => {} });
    await until(() => api.uploads.length === 1);
    expect((await firstValueFrom(services.tokens.refresh('rt'))).accessToken).toBe('a');
    upload.unsubscribe();
  });

  it('closes after an answered upload, even without other calls', async () => {
    const { services, api } = await halfOpen();
    const upload = firstValueFrom(services.transactions.uploadImages(sampleTokens(), [IMAGE]));
    await until(() => api.uploads.length === 1);
    api.uploads[0]?.setHeader('content-type', 'application/json').end('{"next_step":"done"}');
    await upload;
    // Both are in flight at the same time, and neither is a probe.
    const calls = ['rt_1', 'rt_2'].map((token) =>
      services.tokens.refresh(`${token}_hang`).subscribe({ error: () => {} }),
    );
    await until(() => api.hanging === 2);
    expect(api.hanging).toBe(2);
    for (const call of calls) call.unsubscribe();
  });

  it('opens again after a failed upload', async () => {
    const { services, api } = await halfOpen();
    const upload = errorOf(services.transactions.uploadImages(sampleTokens(), [IMAGE]));
    await until(() => api.uploads.length === 1);
    api.uploads[0]?.writeHead(503).end();
    expect((await upload).code).toBe('BERBIX_SERVER');
    expect((await errorOf(services.tokens.refresh('rt'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  it('is not closed by an upload that began before it opened', async () => {
    const { services, api } = await startFailing();
    const upload = firstValueFrom(services.transactions.uploadImages(sampleTokens(), [IMAGE]));
    await until(() => api.uploads.length === 1);
    await openCircuit(services);
    api.uploads[0]?.setHeader('content-type', 'application/json').end('{"next_step":"done"}');
    await upload;
    expect((await errorOf(services.tokens.refresh('rt'))).code).toBe('BERBIX_UNAVAILABLE');
  });

  it('refuses an upload while it is open, without a wait for the uploads before it', async () => {
    const { services, api } = await startFailing({ http: { connections: 4 } });
    const upload = (): Observable<unknown> =>
      services.transactions.uploadImages(sampleTokens(), [IMAGE]);
    const before = upload().subscribe({ error: () => {} });
    await until(() => api.uploads.length === 1);
    await openCircuit(services);
    expect((await errorOf(upload())).code).toBe('BERBIX_UNAVAILABLE');
    before.unsubscribe();
  });

  it('is separate for each account', async () => {
    const sandbox = await startSandbox();
    const broken = await servicesFor(sandbox, { apiHost: 'http://127.0.0.1:9' });
    const well = await servicesFor(sandbox);
    for (let call = 0; call < 30; call++) await errorOf(broken.tokens.refresh('rt_any'));
    expect((await errorOf(broken.tokens.refresh('rt_any'))).code).toBe('BERBIX_UNAVAILABLE');
    expect((await createTransaction(sandbox, well)).accessToken).toBeDefined();
  });
});

interface FailingApi {
  /** Uploads that wait for the test to answer them. */
  readonly uploads: ServerResponse[];
  /** The number of exchanges with `hang` in their refresh token, which are never answered. */
  hanging: number;
  fails: boolean;
}

/** An application, and an API whose exchanges fail for now. */
async function startFailing(
  options: Partial<BerbixModuleOptions> = {},
): Promise<{ services: Services; api: FailingApi }> {
  const api: FailingApi = { uploads: [], hanging: 0, fails: true };
  const url = await listening(
    createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      if (request.url === '/v0/images/upload') api.uploads.push(response);
      else if (text.includes('hang')) api.hanging++;
      else if (api.fails) response.writeHead(500).end();
      else answer(response);
    }),
  );
  return {
    services: await startServices({ apiSecret: 's', apiHost: url, retry: 0, ...options }),
    api,
  };
}

async function openCircuit({ tokens }: Services): Promise<void> {
  for (let call = 0; call < 10; call++) await errorOf(tokens.refresh(`rt_${call}`));
  expect((await errorOf(tokens.refresh('rt'))).code).toBe('BERBIX_UNAVAILABLE');
}

/** The same when the circuit is half open and the API is healthy again. */
async function halfOpen(): Promise<{ services: Services; api: FailingApi }> {
  const { services, api } = await startFailing();
  await openCircuit(services);
  api.fails = false;
  const elapsed = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + 5_000);
  return { services, api };
}

/** An API that fails for every request with this word in it. */
function failingFor(word: string): Promise<string> {
  return listening(
    createServer((request, response) => {
      let text = String(request.headers.authorization);
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        if (text.includes(word)) response.writeHead(500).end();
        else answer(response);
      });
    }),
  );
}

function answer(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end('{"access_token":"a","client_token":"c","expires_in":60}');
}
