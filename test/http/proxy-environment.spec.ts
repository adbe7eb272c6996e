import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixConfigurationError, type BerbixModuleOptions } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { proxyVariable } from '../../lib/http/proxy.js';
import { newAuthority } from '../support/certificates.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { changeEnvironment } from '../support/environment.js';
import { errorOf } from '../support/errors.js';
import { closeAfterTest } from '../support/closing.js';
import { startServices, type Services } from '../support/services.js';
import { startTokenApi } from '../support/token-api.js';

/** Only the proxy can resolve it. */
const API = 'https://api.berbix.test';

const NAMES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
const NONE = Object.fromEntries(
  NAMES.flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, undefined]),
);

/** Only these proxies are set, during one test. */
function setEnvironment(variables: Record<string, string>): void {
  const restore = changeEnvironment({ ...NONE, ...variables });
  closeAfterTest(async () => restore());
}

const boot = (options: Partial<BerbixModuleOptions>): Promise<Services> =>
  startServices({ apiSecret: 's', apiHost: API, retry: 0, ...options });

afterEach(() => {
  jest.restoreAllMocks();
});

describe("http.proxy: 'environment'", () => {
  it.each(['HTTPS_PROXY', 'https_proxy'])(
    'takes the proxy of %s, with our authorities and its credentials',
    async (name) => {
      const authority = await newAuthority();
      const api = await startTokenApi(await authority.issue('api.berbix.test'));
      const proxy = await startConnectProxy();
      proxy.names.set('api.berbix.test:443', api.url);
      setEnvironment({ [name]: proxy.url.replace('//', '//user:pa%25ss@') });
      const http = { proxy: 'environment', extraCa: authority.ca };
      const { tokens } = await boot({ http });
      expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
      expect(proxy.tunnels).toEqual(['api.berbix.test:443']);
      expect(proxy.authorizations).toEqual([
        `Basic ${Buffer.from('user:pa%ss').toString('base64')}`,
      ]);
    },
  );

  it('keeps the time limits, and reads the environment only at boot', async () => {
    const proxy = await startConnectProxy();
    setEnvironment({ HTTPS_PROXY: proxy.url });
    const { tokens } = await boot({ timeoutMs: 300, http: { proxy: 'environment' } });
    proxy.instead = 'hang';
    process.env.HTTPS_PROXY = 'http://127.0.0.1:9';
    expect((await errorOf(tokens.refresh('rt'))).code).toBe('BERBIX_TIMEOUT');
    expect(proxy.tunnels).toHaveLength(1);
  });

  it('names the variable if the proxy refuses, without the credentials', async () => {
    const proxy = await startConnectProxy();
    proxy.instead = 407;
    setEnvironment({ HTTPS_PROXY: proxy.url.replace('//', '//user:HIDDENWORD@') });
    const { tokens } = await boot({ http: { proxy: 'environment' } });
    const { message } = await errorOf(tokens.refresh('rt'));
    expect(message).toContain(`The proxy ${proxy.url} (HTTPS_PROXY) refused`);
    expect(message).toContain('Check the user and the password in HTTPS_PROXY.');
    expect(message).not.toContain('HIDDENWORD');
  });

  it('connects directly if the environment has none for the host', async () => {
    const authority = await newAuthority();
    const { url } = await startTokenApi(await authority.issue('127.0.0.1'));
    for (const variables of [[], [['HTTPS_PROXY', 'http://127.0.0.1:9']]]) {
      setEnvironment(Object.fromEntries(variables));
      const http = { proxy: 'environment', ca: authority.ca };
      const { tokens } = await boot({ apiHost: url, http });
      expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
    }
  });

  it.each([
    ['socks5://proxy:1080', /^HTTPS_PROXY must be the URL of an HTTP proxy, such as http:\S+\.$/],
    ['http://proxy:3128/path', /^HTTPS_PROXY must be only scheme, host and port/],
    ['http://user:100%@proxy:3128', /^HTTPS_PROXY has a % in its user or password/],
    ['http://:word@proxy:3128', /^HTTPS_PROXY has a password without a user/],
    // Credentials that are not percent-encoded look like a host and a path.
    ['http://user:1234/5@proxy:3128', /^HTTPS_PROXY must be only(?!.*1234)/],
    ['http://HIDDENTOKEN/@proxy', /^HTTPS_PROXY must be only(?!.*hidden)/],
  ])('stops the boot for %s', async (value, message) => {
    setEnvironment({ HTTPS_PROXY: value });
    const booting = boot({ http: { proxy: 'environment' } });
    await expect(booting).rejects.toThrow(BerbixConfigurationError);
    await expect(booting).rejects.toThrow(message);
  });
});

describe('the proxy of the environment', () => {
  const PROXY = 'proxy.internal:3128';

  it.each([
    ['', API, true],
    ['*', API, false],
    ['api.berbix.test', API, false],
    ['API.Berbix.Test', API, false],
    ['.berbix.test', API, false],
    ['*.berbix.test', API, false],
    ['berbix.test', API, false],
    ['erbix.test', API, true],
    ['other.test, api.berbix.test', API, false],
    ['other.test api.berbix.test', API, false],
    ['api.berbix.test:443', API, false],
    ['api.berbix.test:8443', API, true],
    ['api.berbix.test:8443', `${API}:8443`, false],
    ['api.berbix.test', `${API}:8443`, false],
    ['., ,:443,/8,10.0.0.0/x', API, true],
    ['10.1.2.3', 'https://10.1.2.3', false],
    ['2.3', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://11.1.2.3', true],
    ['10.0.0.0/33', 'https://10.1.2.3', true],
    ['10.1.2.3/32', 'https://10.1.2.3', false],
    ['10.1.2.3/32', 'https://10.1.2.2', true],
    ['0.0.0.0/0', 'https://10.1.2.3', false],
    ['10.0.0.0/-1', 'https://10.1.2.3', true],
    ['fd00::1/128', 'https://[fd00::1]', false],
    ['fd00::/129', 'https://[fd00::1]', true],
    ['10.0.0.0/8', 'https://[fd00::1]', true],
    ['fd00::/8', 'https://[fd00::1]', false],
    ['fd00::1', 'https://[fd00::1]', false],
    ['[fd00::1]:443', 'https://[fd00::1]', false],
    ['[fd00::1]:444', 'https://[fd00::1]', true],
    ['', 'https://127.0.0.1:8443', false],
    ['', 'https://localhost', false],
    ['', 'https://[::1]', false],
  ])('with NO_PROXY=%s for %s: %s', (exceptions, origin, isUsed) => {
    for (const name of ['NO_PROXY', 'no_proxy']) {
      setEnvironment({ HTTPS_PROXY: PROXY, [name]: exceptions });
      expect(proxyVariable(origin) !== undefined).toBe(isUsed);
    }
  });

  it('is that of the scheme, in lower case first', () => {
    setEnvironment({ HTTPS_PROXY: 'a', https_proxy: 'b', HTTP_PROXY: 'c', http_proxy: ' ' });
    expect(proxyVariable(API)).toEqual({ name: 'https_proxy', value: 'b' });
    expect(proxyVariable('http://gateway.test')).toEqual({ name: 'HTTP_PROXY', value: 'c' });
    setEnvironment({ HTTP_PROXY: 'c' });
    expect(proxyVariable(API)).toBeUndefined();
  });

  it('is reported at boot if it is not used, without its credentials', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    // Node.js uses it then, but only for its own clients.
    setEnvironment({ HTTPS_PROXY: `http://user:HIDDENWORD@${PROXY}`, NODE_USE_ENV_PROXY: '1' });
    await boot({});
    expect(warn.mock.calls.map(([message]) => String(message))).toEqual([
      expect.stringMatching(
        /^HTTPS_PROXY is set, but .* http\.proxy to 'environment'.* BERBIX_PROXY=environment.* add api\.berbix\.test to NO_PROXY\.$/,
      ),
    ]);
    expect(JSON.stringify(warn.mock.calls)).not.toContain('HIDDENWORD');
  });

  it.each(['HTTPS_PROXY', 'HTTP_PROXY'])('is reported at boot if %s is missing', async (name) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    setEnvironment({ [name === 'HTTP_PROXY' ? 'HTTPS_PROXY' : 'HTTP_PROXY']: PROXY });
    const apiHost = name === 'HTTP_PROXY' ? 'http://api.berbix.test' : API;
    await boot({ apiHost, allowInsecure: true, http: { proxy: 'environment' } });
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      `http.proxy (or BERBIX_PROXY) is 'environment', but ${name} is not set, so Berbix is called directly.`,
    ]);
  });

  it('is not reported if there is nothing to do', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    setEnvironment({ HTTPS_PROXY: PROXY });
    await boot({ http: { proxy: 'environment' } });
    await boot({ http: { proxy: 'http://another.internal:3128' } });
    await boot({ http: { dispatcher: { dispatch: () => true } } });
    await boot({ apiHost: 'https://localhost:8443' });
    setEnvironment({ NO_PROXY: '.berbix.test' });
    await boot({ http: { proxy: 'environment' } });
    await boot({ apiHost: 'https://localhost:8443', http: { proxy: 'environment' } });
    setEnvironment({ HTTPS_PROXY: PROXY, NO_PROXY: '.berbix.test' });
    await boot({});
    expect(warn).not.toHaveBeenCalled();
  });
});
