import { createPrivateKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigModule, ConfigService, registerAs } from '@nestjs/config';
import { ModulesContainer } from '@nestjs/core';
import {
  BerbixConfigurationError,
  BerbixModule,
  BerbixTokenService,
  berbixConfig,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { newAuthority, type Authority, type Identity } from '../support/certificates.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';
import { errorOf } from '../support/errors.js';
import { startModule, startSandbox } from '../support/services.js';
import { startTokenApi } from '../support/token-api.js';

describe('berbixConfig', () => {
  const NAMES = [
    'API_SECRET',
    'API_HOST',
    'TIMEOUT_MS',
    'TOTAL_TIMEOUT_MS',
    'ALLOW_INSECURE',
    'WEBHOOK_FINISHED_SECRET',
    'WEBHOOK_STATUS_SECRET',
    'TEMPLATE_KEY',
    'PROXY',
    'CA_FILE',
    'EXTRA_CA_FILE',
    'CLIENT_CERT_FILE',
    'CLIENT_KEY_FILE',
  ];

  async function withEnvironment(
    values: Record<string, string>,
    run: () => Promise<void>,
  ): Promise<void> {
    const others = Object.fromEntries(NAMES.map((name) => [`BERBIX_${name}`, undefined]));
    const restore = changeEnvironment({ ...others, ...values });
    try {
      await run();
    } finally {
      restore();
    }
  }

  const boot = (): Promise<BerbixTokenService> =>
    startModule(
      ConfigModule.forRoot({ ignoreEnvFile: true }),
      BerbixModule.forRootAsync(berbixConfig.asProvider()),
    ).then((module) => module.get(BerbixTokenService));

  it('configures the module from the environment', async () => {
    const sandbox = await startSandbox();
    await withEnvironment(
      {
        BERBIX_API_SECRET: sandbox.apiSecret,
        BERBIX_API_HOST: sandbox.url,
        BERBIX_TIMEOUT_MS: '20000',
        BERBIX_TOTAL_TIMEOUT_MS: '30000',
        BERBIX_ALLOW_INSECURE: 'false',
      },
      async () => {
        expect(berbixConfig()).toMatchObject({
          timeoutMs: 20_000,
          totalTimeoutMs: 30_000,
          allowInsecure: false,
        });
        const tokens = await boot();
        expect((await errorOf(tokens.refresh('rt_any'))).code).toBe('BERBIX_INVALID_REFRESH_TOKEN');
      },
    );
    expect(sandbox.requests.length).toBe(1);
  });

  describe('with files', () => {
    let directory = '';
    const path = (name: string): string => join(directory, name);
    let company: Authority;
    let client: Identity;

    beforeAll(async () => {
      directory = temporaryDirectory();
      company = await newAuthority();
      client = await company.issue('backend');
      const other = await company.issue('other');
      await Promise.all([
        writeFile(path('ca.pem'), company.ca),
        writeFile(path('cert.pem'), client.cert),
        writeFile(path('key.pem'), client.key),
        writeFile(path('other.pem'), other.key),
        writeFile(path('empty.pem'), ''),
        writeFile(path('garbled.pem'), company.ca.replace(/^[A-Za-z].*$/m, 'AAAA')),
        writeFile(path('cut.pem'), company.ca.slice(0, -40)),
      ]);
    });

    it('reaches a gateway that requires a client certificate, through a proxy', async () => {
      const identity = await company.issue('127.0.0.1');
      const api = await startTokenApi({ ...identity, ca: company.ca, requestCert: true });
      const proxy = await startConnectProxy();
      const variables = {
        BERBIX_API_SECRET: 's',
        BERBIX_API_HOST: api.url,
        BERBIX_PROXY: proxy.url,
        BERBIX_EXTRA_CA_FILE: path('ca.pem'),
        BERBIX_CLIENT_CERT_FILE: path('cert.pem'),
        BERBIX_CLIENT_KEY_FILE: path('key.pem'),
      };
      await withEnvironment(variables, async () => {
        const tokens = await boot();
        expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
      });
      expect(proxy.tunnels).toHaveLength(1);
      expect(api.clients).toEqual(['backend']);

      const { BERBIX_EXTRA_CA_FILE: BERBIX_CA_FILE, ...others } = variables;
      await withEnvironment({ ...others, BERBIX_CA_FILE }, async () => {
        const tokens = await boot();
        expect((await firstValueFrom(tokens.refresh('rt'))).accessToken).toBe('a');
      });
    });

    it('does not show the key or the secret when it, or the application, is printed', async () => {
      const variables = {
        BERBIX_API_SECRET: 'secret_test_HIDDEN',
        BERBIX_PROXY: 'http://user:HIDDEN@proxy:3128',
        BERBIX_CLIENT_CERT_FILE: path('cert.pem'),
        BERBIX_CLIENT_KEY_FILE: path('key.pem'),
      };
      await withEnvironment(variables, async () => {
        const module = await startModule(
          ConfigModule.forRoot({ ignoreEnvFile: true, ignoreEnvVars: true, load: [berbixConfig] }),
          BerbixModule.forRootAsync(berbixConfig.asProvider()),
        );
        const config: unknown = module.get(berbixConfig.KEY);
        expect(config).toMatchObject({ http: { key: client.key } });
        const all = { maxStringLength: null, maxArrayLength: null };
        // Each provider, since the text of the whole application has 100 MB before it comes to them.
        const modules = [...module.get(ModulesContainer).values()];
        const providers = modules.flatMap((each) => [...each.providers.values()]);
        const views = [
          inspect(module, { ...all, depth: 6 }),
          ...providers.map(({ instance }) => inspect(instance, { ...all, depth: 4 })),
          inspect(config, { ...all, showHidden: true, getters: true }),
          JSON.stringify(config),
        ].join();
        expect(inspect(config)).toBe('[options of BerbixModule]');
        expect(JSON.stringify(config)).toBe('"[options of BerbixModule]"');
        for (const secret of ['HIDDEN', ...client.key.split('\n').slice(1, 3)]) {
          expect(views).not.toContain(secret);
        }
      });
    });

    it.each([
      [
        { BERBIX_CA_FILE: 'missing.pem' },
        /^The environment variable BERBIX_CA_FILE names a file that cannot be read \(ENOENT\)\.$/,
      ],
      [{ BERBIX_EXTRA_CA_FILE: '.' }, /^The .* BERBIX_EXTRA_CA_FILE .* cannot be read \(EISDIR\)/],
      [
        { BERBIX_CA_FILE: 'garbled.pem' },
        /^The environment variable BERBIX_CA_FILE is invalid: Certificate 1 of 1 in http\.ca cannot be read/,
      ],
      [
        { BERBIX_EXTRA_CA_FILE: 'garbled.pem' },
        /^The environment variable BERBIX_EXTRA_CA_FILE is invalid: Certificate 1 of 1 in http\.extraCa cannot be read/,
      ],
      [
        { BERBIX_CA_FILE: 'key.pem' },
        /^The file named by BERBIX_CA_FILE has no certificate in PEM/,
      ],
      [
        { BERBIX_EXTRA_CA_FILE: 'cut.pem' },
        /^The .* BERBIX_EXTRA_CA_FILE has no certificate in PEM/,
      ],
      [
        { BERBIX_CLIENT_CERT_FILE: 'empty.pem', BERBIX_CLIENT_KEY_FILE: 'key.pem' },
        /^The file named by BERBIX_CLIENT_CERT_FILE has no certificate in PEM format\.$/,
      ],
      [
        { BERBIX_CLIENT_CERT_FILE: 'cert.pem', BERBIX_CLIENT_KEY_FILE: 'cert.pem' },
        /^The file named by BERBIX_CLIENT_KEY_FILE has no private key in PEM format\.$/,
      ],
      [
        { BERBIX_CLIENT_CERT_FILE: 'cert.pem' },
        /BERBIX_CLIENT_CERT_FILE or BERBIX_CLIENT_KEY_FILE is invalid: http\.cert needs http\.key/,
      ],
      [
        { BERBIX_CLIENT_CERT_FILE: 'cert.pem', BERBIX_CLIENT_KEY_FILE: 'other.pem' },
        /BERBIX_CLIENT_KEY_FILE is invalid: http\.key is not the private key of the first/,
      ],
    ])('stops the boot on %j', async (names, message) => {
      const files = Object.entries(names).map(([name, file]) => [name, path(file)]);
      const variables = { BERBIX_API_SECRET: 's', ...Object.fromEntries(files) };
      await withEnvironment(variables, () => expect(boot()).rejects.toThrow(message));
    });

    it('accepts a key in the format of its algorithm', async () => {
      const sec1 = createPrivateKey(client.key).export({ type: 'sec1', format: 'pem' });
      expect(sec1).toContain('BEGIN EC PRIVATE KEY');
      await writeFile(path('sec1.pem'), sec1);
      const variables = {
        BERBIX_API_SECRET: 's',
        BERBIX_CLIENT_CERT_FILE: path('cert.pem'),
        BERBIX_CLIENT_KEY_FILE: path('sec1.pem'),
      };
      await withEnvironment(variables, async () => {
        expect(berbixConfig().http).toMatchObject({ key: sec1 });
        await boot();
      });
    });

    it('does not quote a key that is set instead of its path', async () => {
      const variables = { BERBIX_API_SECRET: 's', BERBIX_CLIENT_KEY_FILE: client.key };
      await withEnvironment(variables, () =>
        expect(boot()).rejects.toThrow(
          /^The environment variable BERBIX_CLIENT_KEY_FILE must be the path of a PEM file, not its content\.$/,
        ),
      );
    });
  });

  it('checks only the proxy that is for the host', async () => {
    const environment = {
      BERBIX_API_SECRET: 's',
      BERBIX_API_HOST: 'http://berbix.test',
      BERBIX_ALLOW_INSECURE: 'true',
      BERBIX_PROXY: 'environment',
      http_proxy: 'http://proxy.test:3128',
      https_proxy: 'ftp://proxy.test',
      no_proxy: '',
      NO_PROXY: '',
    };
    await withEnvironment(environment, async () => {
      expect(await boot()).toBeInstanceOf(BerbixTokenService);
    });
  });

  it('accepts several webhook secrets, separated by commas and spaces', async () => {
    const secrets = {
      BERBIX_WEBHOOK_FINISHED_SECRET: 'whs_other',
      BERBIX_WEBHOOK_STATUS_SECRET: ' whs_new, whs_old ',
    };
    await withEnvironment({ BERBIX_API_SECRET: 's', ...secrets }, async () => {
      expect(berbixConfig().webhooks).toEqual({
        finished: ['whs_other'],
        status: ['whs_new', 'whs_old'],
      });
      await boot();
    });
  });

  it('leaves the namespace berbix to the application', async () => {
    const applicationConfig = registerAs('berbix', () => ({ theme: 'dark' }));
    await withEnvironment({ BERBIX_API_SECRET: 'secret_test_x' }, async () => {
      const module = await startModule(
        ConfigModule.forRoot({ ignoreEnvFile: true, load: [applicationConfig, berbixConfig] }),
        BerbixModule.forRootAsync(berbixConfig.asProvider()),
      );
      expect(module.get(ConfigService).get('berbix')).toEqual({ theme: 'dark' });
      expect(module.get(applicationConfig.KEY)).toEqual({ theme: 'dark' });
      expect(module.get(berbixConfig.KEY)).toMatchObject({ apiSecret: 'secret_test_x' });
      expect(module.get(ConfigService).get('nestjs-berbix.apiSecret')).toBe('secret_test_x');
    });
  });

  it('has the key of a template, which is not an option', async () => {
    const environment = { BERBIX_API_SECRET: 's', BERBIX_TEMPLATE_KEY: 'tpk_1' };
    await withEnvironment(environment, async () => {
      const config = berbixConfig();
      delete process.env['BERBIX_TEMPLATE_KEY'];
      expect(config.templateKey).toBe('tpk_1');
      expect({ ...berbixConfig() }).not.toHaveProperty('templateKey');
      await boot();
    });
    for (const unset of [{}, { BERBIX_TEMPLATE_KEY: '' }] as Record<string, string>[]) {
      await withEnvironment({ BERBIX_API_SECRET: 's', ...unset }, async () => {
        const config = berbixConfig();
        expect(() => config.templateKey).toThrow(BerbixConfigurationError);
        expect(() => config.templateKey).toThrow(
          /^The environment variable BERBIX_TEMPLATE_KEY is missing\. Set it to the key of a template from the Berbix dashboard\.$/,
        );
        await boot();
      });
    }
  });

  it.each([
    [
      {},
      /^The environment variable BERBIX_API_SECRET is missing\. Set it to the API secret from the Berbix dashboard\.$/,
    ],
    [{ BERBIX_API_SECRET: '' }, /^The environment variable BERBIX_API_SECRET is missing/],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '5s' },
      /^The environment variable BERBIX_TIMEOUT_MS is invalid: timeoutMs must be a whole number/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '0' },
      /^The environment variable BERBIX_TIMEOUT_MS is invalid: timeoutMs must be a whole number/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '20000' },
      /^The environment variable BERBIX_TIMEOUT_MS is invalid: timeoutMs \(20000\) must not be more than/,
    ],
    ...['-5', '+5000', '1e3', '0x10', ' 5', '5.0'].map((ms): [Record<string, string>, RegExp] => [
      { BERBIX_API_SECRET: 's', BERBIX_TOTAL_TIMEOUT_MS: ms },
      /^The environment variable BERBIX_TOTAL_TIMEOUT_MS is invalid: totalTimeoutMs must be a whole/,
    ]),
    [
      { BERBIX_API_SECRET: 's', BERBIX_ALLOW_INSECURE: '1' },
      /^The environment variable BERBIX_ALLOW_INSECURE must be true or false/,
    ],
    [
      { BERBIX_API_SECRET: 'a b' },
      /^The environment variable BERBIX_API_SECRET is invalid: apiSecret contains/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_API_HOST: 'nonsense' },
      /^The environment variable BERBIX_API_HOST is invalid: apiHost must be a URL/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_API_HOST: 'http://berbix.test' },
      /^The environment variable BERBIX_API_HOST is invalid: apiHost must begin with https/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_PROXY: 'yes' },
      /^The environment variable BERBIX_PROXY is invalid: http\.proxy must be the URL .* or 'environment'\.$/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '99999999' },
      /^The environment variable BERBIX_TIMEOUT_MS is invalid: timeoutMs must be a whole number/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_WEBHOOK_FINISHED_SECRET: 'a,,b' },
      /^The environment variable BERBIX_WEBHOOK_FINISHED_SECRET is invalid: webhooks\.finished/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_WEBHOOK_STATUS_SECRET: 'a,' },
      /^The environment variable BERBIX_WEBHOOK_STATUS_SECRET is invalid: webhooks\.status/,
    ],
  ])('stops the boot on %j', async (environment, message) => {
    await withEnvironment(environment, () => expect(boot()).rejects.toThrow(message));
  });
});
