import { createPrivateKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import tls from 'node:tls';
import { describe, expect, it, jest } from '@jest/globals';
import { BerbixModule, BerbixConfigurationError, type BerbixModuleOptions } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { defaultAuthorities } from '../../lib/http/tls.js';
import { newAuthority } from '../support/certificates.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';
import { errorOf } from '../support/errors.js';
import { startModule, startServices, type Services } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';
import { startTokenApi } from '../support/token-api.js';

const company = await newAuthority('Company');
const stranger = await newAuthority('Stranger');
const server = await company.issue('localhost', '127.0.0.1');
const other = await company.issue('other.test');
const client = await company.issue('backend');

const account = (apiHost: string, http: BerbixModuleOptions['http']): Promise<Services> =>
  startServices({ apiSecret: 's', apiHost, http, retry: 0 });

describe('authorities', () => {
  it('of http.extraCa are trusted in addition to the default ones', async () => {
    const { url } = await startTokenApi(server);
    const { tokens } = await account(url, { extraCa: stranger.ca + company.ca });
    expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
    // None of theirs is at hand, so the contexts are read.
    const contexts = jest.spyOn(tls, 'createSecureContext');
    await account(url, { extraCa: company.ca });
    const trusted = defaultAuthorities();
    for (const [options] of contexts.mock.calls) {
      const ca = [options?.ca].flat().map(String);
      expect(ca.map((pem) => pem.trim())).toEqual(
        [...trusted, company.ca].map((pem) => pem.trim()),
      );
    }
    expect(contexts).toHaveBeenCalled();
    contexts.mockRestore();
    expect(trusted.length).toBeGreaterThanOrEqual(tls.rootCertificates.length);
  });

  it('of http.extraCa are trusted in addition to those of http.ca', async () => {
    const { url } = await startTokenApi(server);
    const { tokens } = await account(url, { ca: stranger.ca, extraCa: Buffer.from(company.ca) });
    expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
  });

  it('that are unknown are refused, with advice', async () => {
    const { url, clients } = await startTokenApi(server);
    for (const http of [{}, { extraCa: stranger.ca }]) {
      const { tokens } = await account(url, http);
      const error = await errorOf(tokens.refresh('rt'));
      expect(error.code).toBe('BERBIX_CONNECTION');
      expect(error.message).toContain('give its authority as http.extraCa');
      expect(error.message).toContain('(or BERBIX_EXTRA_CA_FILE)');
    }
    expect(clients).toEqual([]);
  });

  it('of NODE_EXTRA_CA_CERTS stay trusted, also where Node.js cannot list them', async () => {
    const directory = temporaryDirectory();
    await writeFile(join(directory, 'ca.pem'), `Company\n${company.ca}`);
    for (const [path, added] of [
      ['ca.pem', [company.ca.trim()]],
      ['missing.pem', []],
    ] as const) {
      const restore = changeEnvironment({ NODE_EXTRA_CA_CERTS: join(directory, path) });
      try {
        expect(defaultAuthorities(null)).toEqual([...tls.rootCertificates, ...added]);
      } finally {
        restore();
      }
    }
    expect(defaultAuthorities((type) => [type])).toEqual(['default']);
  });
});

describe('a client certificate', () => {
  const demanding = { ...server, ca: company.ca, requestCert: true, rejectUnauthorized: true };

  it('is shown to the API', async () => {
    const { url, clients } = await startTokenApi(demanding);
    const { tokens } = await account(url, { extraCa: company.ca, ...client });
    await firstValueFrom(tokens.refresh('rt'));
    expect(clients).toEqual(['backend']);
  });

  it('is shown with those of the authorities that issued it, if they come after it', async () => {
    const accepting = { ...server, requestCert: true, rejectUnauthorized: false };
    const own = await stranger.issue('backend');
    for (const [cert, issuer] of [
      [own.cert, undefined],
      [own.cert + stranger.ca, 'Stranger'],
    ] as const) {
      const { url, issuers } = await startTokenApi(accepting);
      const { tokens } = await account(url, { extraCa: company.ca, ...own, cert });
      await firstValueFrom(tokens.refresh('rt'));
      expect(issuers).toEqual([issuer]);
    }
  });

  it('is shown through a proxy, but not to the proxy', async () => {
    const { url, clients } = await startTokenApi(demanding);
    const shown: boolean[] = [];
    const proxy = await startConnectProxy({
      ...server,
      requestCert: true,
      rejectUnauthorized: false,
    });
    proxy.onClient = (socket) => shown.push('CN' in (socket.getPeerCertificate().subject ?? {}));
    const { tokens } = await account(url, {
      proxy: proxy.url.replace('127.0.0.1', 'localhost'),
      extraCa: company.ca,
      ...client,
    });
    await firstValueFrom(tokens.refresh('rt'));
    expect(clients).toEqual(['backend']);
    expect(shown).toEqual([false]);
  });

  it.each([
    ['TLSv1.2', 'directly'],
    ['TLSv1.3', 'directly'],
    ['TLSv1.3', 'through a proxy'],
  ] as const)(
    'that is missing is named, and nothing counts as sent: over %s, %s',
    async (maxVersion, way) => {
      const { url, clients } = await startTokenApi({ ...demanding, maxVersion });
      const proxy = way === 'directly' ? undefined : (await startConnectProxy()).url;
      const { transactions } = await account(url, { ca: company.ca, proxy });
      const error = await errorOf(transactions.create({ customerUid: 'a', templateKey: 't' }));

      expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', isWithoutEffect: true });
      expect(error.message).toContain('could not be reached');
      expect(error.message).toContain('http.cert and http.key');
      expect(clients).toEqual([]);
    },
  );

  it.each([
    ['of an unknown authority', server, {}],
    ['of another host', other, { ca: company.ca }],
    ['of nobody, though one is required', demanding, { ca: company.ca }],
  ])('%s is not tried again in the same call, but in the next one', async (_whose, own, trust) => {
    const { url } = await startTokenApi(own);
    const proxy = await startConnectProxy();
    const { tokens } = await startServices({
      apiSecret: 's',
      apiHost: url,
      http: { ...trust, proxy: proxy.url },
      retry: { limit: 2, backoffLimit: 0 },
    });
    for (const calls of [1, 2]) {
      const error = await errorOf(tokens.refresh('rt'));
      expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', retryable: true });
      expect(proxy.tunnels).toHaveLength(calls);
    }
  });

  it('stops the boot if its key is of another one, in one line without the key', async () => {
    const encrypted = createPrivateKey(client.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'word' })
      .toString();
    for (const [http, message] of [
      [{ cert: client.cert }, /^http\.cert needs http\.key/],
      [{ key: client.key }, /^http\.key needs http\.cert/],
      [{ cert: client.cert, key: other.key }, /^http\.key is not the private key of the first/],
      [{ cert: company.ca + client.cert, key: client.key }, /^http\.key is not the private key/],
      [{ cert: client.cert, key: encrypted }, /^http\.key is encrypted with a passphrase/],
      [{ cert: client.cert, key: client.key.slice(0, -60) }, /^http\.key cannot be read/],
      [{ cert: client.cert, key: '/etc/key.pem' }, /^http\.key must be a private key as PEM/],
      [{ cert: client.key, key: client.key }, /^http\.cert must be a certificate as PEM text/],
      [
        { extraCa: `${company.ca}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----` },
        /^Certificate 2 of 2 in http\.extraCa cannot be read/,
      ],
    ] as const) {
      const error = await errorOf(startModule(BerbixModule.forRoot({ apiSecret: 's', http })));
      expect(error).toBeInstanceOf(BerbixConfigurationError);
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain('\n');
      expectNoKey(await everyViewOf(error), client.key, other.key, encrypted);
    }
  });

  it('and its key are not visible in the application', async () => {
    const { url } = await startTokenApi(demanding);
    const { module, tokens } = await account(url, { extraCa: company.ca, ...client });
    await firstValueFrom(tokens.refresh('rt'));
    const all = { showHidden: true, maxStringLength: null, maxArrayLength: null, getters: true };
    expectNoKey(inspect(module, { ...all, depth: 6 }), client.key);
  });
});

/** No line of the keys, and not their bytes. */
function expectNoKey(text: string, ...keys: string[]): void {
  for (const key of keys) {
    for (const line of key.split('\n').slice(1, 3)) expect(text).not.toContain(line);
    expect(text).not.toContain(Buffer.from(key.slice(30, 60)).toString('hex'));
  }
}
