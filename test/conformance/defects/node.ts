import { readFileSync, readdirSync } from 'node:fs';
import { expect } from '@jest/globals';
import * as sdk from 'berbix';
import { BerbixModule, BerbixTokens } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf, rejectionOf } from '../../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startModule,
  startSandbox,
  startServices,
} from '../../support/services.js';
import { until } from '../../support/until.js';
import { inChild, startBoth } from '../support/official-sdk.js';
import { startProxy, startServer } from '../support/plain-server.js';
import type { Proofs } from '../sdk-defects.js';
import { watchTimers } from '../support/timers.js';
import { REFUSED, signed, startVerifiers } from '../support/webhook-verifiers.js';

/** Prints the outcome of a promise, if it ever settles. */
const CREATE = `
  const client = new berbix.Client({ apiSecret: 'secret_test_x', apiHost: host });
  await client.createTransaction(options).then(() => console.log('created'), () => console.log('caught'));`;

const NOWHERE = 'https://127.0.0.1:9';

export const node: Proofs<'node.'> = {
  async 'node.1'() {
    const sandbox = await startSandbox({ tls: true });
    sandbox.faults.add({ kind: 'reset' });
    const crashes: [string, { ca?: string }, string][] = [
      [NOWHERE, {}, 'ECONNREFUSED'],
      // A certificate authority that it does not trust.
      [sandbox.tlsUrl as string, {}, 'certificate'],
      [sandbox.tlsUrl as string, { ca: sandbox.ca as string }, 'ECONNRESET'],
    ];
    for (const [host, options, reason] of crashes) {
      const { exitCode, stdout, stderr } = await inChild(CREATE, host, options);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(reason);
    }

    const apiSecret = 'secret_test_x';
    const ca = readFileSync(sandbox.ca as string);
    sandbox.faults.add({ kind: 'reset' });
    for (const [apiHost, http, reason] of [
      [NOWHERE, {}, 'ECONNREFUSED'],
      [sandbox.tlsUrl, {}, /CERT|SIGN/],
      [sandbox.tlsUrl, { ca }, /ECONNRESET|UND_ERR_SOCKET/],
    ] as const) {
      const { tokens } = await startServices({ apiSecret, apiHost, http, retry: 0 });
      expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({
        code: 'BERBIX_CONNECTION',
        reason: expect.stringMatching(reason),
      });
    }
  },

  async 'node.2'() {
    const sandbox = await startSandbox({ tls: true });
    const { ca } = sandbox;
    sandbox.faults.add({ kind: 'hang' });
    const timedOut = await inChild(
      `const httpClientOpts = { timeoutMs: 100 };
       const client = new berbix.Client({ apiSecret: 'x', apiHost: host, httpClientOpts });
       const reason = await client.createTransaction(options).catch((reason) => reason);
       await new Promise((resolve) => setTimeout(resolve, 100));
       const open = Object.values(https.globalAgent.sockets).flat().length;
       console.log(JSON.stringify({ ...reason, open }));
       process.exit();`,
      sandbox.tlsUrl as string,
      { ca },
    );
    expect(JSON.parse(timedOut.stdout)).toEqual({
      status: null,
      error: 'call timed out',
      timedOut: true,
      open: 1,
    });
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'html' });
    const refused = await inChild(
      `const httpClientOpts = { timeoutMs: 54321 };
       const client = new berbix.Client({ apiSecret: 'x', apiHost: host, httpClientOpts });
       const [set, left] = [setTimeout, new Set()];
       globalThis.setTimeout = (run, ms, ...rest) => (ms === 54321 && left.add(ms), set(run, ms, ...rest));
       globalThis.clearTimeout = () => left.clear();
       await client.createTransaction(options).catch(() => {});
       console.log(left.size);
       process.exit();`,
      sandbox.tlsUrl as string,
      { ca },
    );
    expect(refused.stdout.trim()).toBe('1');

    const silent = await startServer();
    const apiHost = silent.url;
    const short = await startServices({ apiSecret: 'x', apiHost, retry: 0, timeoutMs: 100 });
    expect((await errorOf(short.tokens.refresh('rt_any'))).code).toBe('BERBIX_TIMEOUT');
    await until(() => silent.abandoned() === 1);

    const timers = watchTimers();
    const { tokens } = await servicesFor(sandbox, { timeoutMs: 54_321, totalTimeoutMs: 65_432 });
    sandbox.faults.add({ kind: 'html' });
    expect((await errorOf(tokens.refresh('rt_any'))).status).toBe(502);
    expect(timers.set()).toEqual(expect.arrayContaining([54_321, 65_432]));
    expect(timers.left()).not.toContain(54_321);
    expect(timers.left()).not.toContain(65_432);
    // There is a default limit too.
    const { tokens: defaults } = await startServices({
      apiSecret: sandbox.apiSecret,
      apiHost: sandbox.url,
    });
    await errorOf(defaults.refresh('rt_any'));
    expect(timers.set()).toEqual(expect.arrayContaining([5_000, 15_000]));
  },

  async 'node.3'() {
    const { sandbox, theirs, ours } = await startBoth();
    const options = { customerUid: 'ë'.repeat(20), templateKey: sandbox.templateKeys.sdk };
    const clientOf = (apiHost: string): sdk.Client =>
      new sdk.Client({ apiSecret: sandbox.apiSecret, apiHost });

    const plain = await rejectionOf(clientOf(sandbox.url).createTransaction(options));
    expect(plain).toMatchObject({ code: 'ERR_INVALID_PROTOCOL' });
    expect((await firstValueFrom(ours.transactions.create(options))).accessToken).toBeDefined();

    const withPath = `${sandbox.tlsUrl}/gateway`;
    const official = await clientOf(withPath).createTransaction(options);
    expect(sandbox.requests.last?.url).toBe('/v0/transactions');
    await expect(startServices({ apiSecret: 'x', apiHost: withPath })).rejects.toMatchObject({
      code: 'BERBIX_CONFIGURATION',
      message: expect.stringContaining('only scheme and host'),
    });

    // Byte by byte, each character arrives in two pieces.
    sandbox.faults.add({ kind: 'trickle', ms: 0, path: '/v0/transactions', times: 2 });
    expect((await theirs.fetchTransaction(official))['customer_uid']).toContain('\ufffd');
    const ca = readFileSync(sandbox.ca as string);
    const tunnels: string[] = [];
    const overProxy = await servicesFor(sandbox, {
      apiHost: sandbox.tlsUrl,
      http: { proxy: await startProxy(tunnels), ca },
    });
    const tokens = new BerbixTokens({
      refreshToken: official.refreshToken as string,
      accessToken: official.accessToken,
      expiresAt: new Date(Date.now() + 3_600_000),
    });
    const fetched = await firstValueFrom(overProxy.transactions.fetch(tokens));
    expect(fetched.customerUid).toBe(options.customerUid);
    expect(tunnels).toEqual([new URL(sandbox.tlsUrl as string).host]);

    // Far more than any answer of the API: the SDK reads all of it, this package stops.
    const bytes = 8 * 1024 * 1024;
    sandbox.faults.add({ kind: 'flood', bytes, times: 2 });
    expect(await rejectionOf(theirs.fetchTransaction(official))).toEqual({
      status: 200,
      error: 'could not parse response',
    });
    expect(await errorOf(ours.transactions.fetch(tokens))).toMatchObject({
      code: 'BERBIX_RESPONSE',
      message: expect.stringContaining('not read to its end'),
    });
  },

  async 'node.4'() {
    const { sandbox, theirs, ours } = await startBoth();
    const official = await theirs.createTransaction({
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
    });
    const tokens = await createTransaction(sandbox, ours);
    sandbox.faults.add({ kind: 'answer', status: 200, body: '', times: 2 });
    expect(await rejectionOf(theirs.deleteTransaction(official))).toEqual({
      status: 200,
      error: 'could not parse response',
    });
    expect(await firstValueFrom(ours.transactions.delete(tokens))).toBeUndefined();

    // An error without JSON keeps its status and class; a 200 without JSON becomes a clear error.
    sandbox.faults.add({ kind: 'html', status: 503 });
    expect(await errorOf(ours.transactions.fetch(tokens))).toMatchObject({
      code: 'BERBIX_SERVER',
      status: 503,
    });
    const headers = { 'content-type': 'text/html' };
    sandbox.faults.add({ kind: 'answer', headers, body: '<p>Log in' });
    expect(await errorOf(ours.transactions.fetch(tokens))).toMatchObject({
      code: 'BERBIX_RESPONSE',
      message: expect.stringContaining('text/html'),
    });
  },

  async 'node.5'() {
    const { sandbox, theirs, ours } = await startBoth();
    const thrown = await rejectionOf(theirs.refreshTokens(sdk.Tokens.fromRefresh('rt_any')));
    expect(thrown).not.toBeInstanceOf(Error);
    expect((thrown as Error).message).toBeUndefined();
    expect((thrown as Error).stack).toBeUndefined();

    const error = await errorOf(ours.tokens.refresh('rt_any'));
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toContain('The refresh token is unknown');
    expect(error.stack).toContain('BerbixInvalidRefreshTokenError');
    expect(sandbox.requests.length).toBe(2);
  },

  async 'node.6'() {
    const { sandbox, theirs, ours } = await startBoth();
    const created = await createTransaction(sandbox, ours);
    sandbox.faults.add({ kind: 'html', status: 409, path: '/v0/images/upload', times: 2 });
    const image = { imageSubject: 'document_front', format: 'image/jpeg' } as const;
    const thrown = await rejectionOf(
      theirs.uploadImages(sdk.Tokens.fromRefresh(created.refreshToken), {
        images: [{ ...image, base64Image: 'AAAA' }],
      }),
    );
    expect((thrown as Error).name).toBe('TypeError');

    const upload = ours.transactions.uploadImages(created, [{ ...image, data: 'AAAA' }]);
    expect(await errorOf(upload)).toMatchObject({ code: 'BERBIX_CONFLICT', status: 409 });
  },

  async 'node.7'() {
    const { sandbox, theirs, ours } = await startBoth();
    const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.hosted };
    expect((await theirs.createHostedTransaction(options)).hostedUrl).toBeUndefined();

    const { hostedUrl } = await firstValueFrom(ours.transactions.createHosted(options));
    expect(hostedUrl).toMatch(/\/hosted\//);
    // If the API ever omits it, that is an error with the tokens in it.
    sandbox.faults.add({
      kind: 'answer',
      body: { access_token: 'a', refresh_token: 'rt_kept', expires_in: 60 },
    });
    const error = await errorOf(ours.transactions.createHosted(options));
    expect(error.message).toContain('hosted_url');
    expect(error.tokens?.refreshToken).toBe('rt_kept');
  },

  async 'node.8'() {
    const { sandbox, theirs, ours } = await startBoth();
    const apiHost = sandbox.tlsUrl as string;
    await rejectionOf(new sdk.Client({ apiHost }).createTransaction({}));
    const sent = sandbox.requests.last;
    expect(sent?.headers.authorization).toBe(`Basic ${btoa('undefined:')}`);
    expect(sent?.body).toBe('{}');
    const misspelt = {
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.apiOnly,
      apiOnlyOptions: { idType: 'P' },
    };
    await theirs.createApiOnlyTransaction(misspelt);
    expect(JSON.parse(sandbox.requests.last?.body ?? '')).toMatchObject({ api_only_options: {} });

    sandbox.requests.clear();
    for (const apiSecret of [undefined, '', 'secret with a space']) {
      await expect(
        startModule(BerbixModule.forRoot({ apiSecret: apiSecret as string })),
      ).rejects.toMatchObject({ code: 'BERBIX_CONFIGURATION' });
    }
    const { transactions } = ours;
    for (const [call, name] of [
      [transactions.create({} as never), 'customerUid'],
      [transactions.create({ customerUid: 'ada' } as never), 'templateKey'],
      [transactions.createApiOnly(misspelt as never), 'apiOnlyOptions'],
    ] as const) {
      expect(await errorOf(call)).toMatchObject({
        code: 'BERBIX_INPUT',
        message: expect.stringContaining(name),
      });
    }
    expect(sandbox.requests.length).toBe(0);
  },

  async 'node.9'() {
    const { send, theirs, ours, answers } = await startVerifiers();
    const good = await send();
    const short = ['', 'v0', good.header.slice(3).replace(',', ';')];
    for (const header of [undefined, ...short]) {
      expect(() => theirs({ ...good, header })).toThrow(
        expect.objectContaining({ name: 'TypeError' }),
      );
      expect(await ours({ ...good, header })).toBe(REFUSED);
      expect(await answers({ ...good, header })).toEqual([401, 401]);
    }
    // All are signed, and none is a valid time.
    for (const timestamp of ['never', '', 'NaN', '1e99']) {
      const timeless = signed(good.body, timestamp);
      if (timestamp !== '1e99') expect(theirs(timeless)).toBe(true);
      expect(await ours(timeless)).toBe(REFUSED);
      expect(await answers(timeless)).toEqual([401, 401]);
    }
  },

  async 'node.10'() {
    const root = 'node_modules/berbix';
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.d.ts'))).toEqual([]);
    const documented = readFileSync(`${root}/README.md`, 'utf8');
    expect(documented).toContain('refreshTokens(tokens: Tokens): void');
    const { sandbox, theirs, ours } = await startBoth();
    const created = await createTransaction(sandbox, ours);
    const given = sdk.Tokens.fromRefresh(created.refreshToken);
    await theirs.refreshTokens(given);
    expect(given.accessToken).toBeUndefined();

    // This package has types for each way to load it, and its docs match the types.
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, Record<string, { types?: string }>>;
    };
    for (const condition of ['import', 'require', 'module-sync']) {
      expect(exports['.']?.[condition]?.types).toMatch(/\.d\.ts$/);
    }
    const refreshed = await firstValueFrom(ours.tokens.refresh(given.refreshToken as string));
    expect(refreshed).toBeInstanceOf(BerbixTokens);
    expect(() => Object.assign(refreshed, { accessToken: 'another' })).toThrow(TypeError);
  },
};
