import { describe, expect, it } from '@jest/globals';
import { ConfigModule, ConfigService, registerAs } from '@nestjs/config';
import {
  BerbixConfigurationError,
  BerbixModule,
  BerbixTokenService,
  berbixConfig,
} from 'nestjs-berbix';
import { errorOf } from '../support/errors.js';
import { startModule, startSandbox } from '../support/services.js';

describe('berbixConfig', () => {
  const NAMES = [
    'API_SECRET',
    'API_HOST',
    'TIMEOUT_MS',
    'TOTAL_TIMEOUT_MS',
    'ALLOW_INSECURE',
    'WEBHOOK_STATUS_SECRET',
    'TEMPLATE_KEY',
  ];

  async function withEnvironment(
    values: Record<string, string>,
    run: () => Promise<void>,
  ): Promise<void> {
    const before = { ...process.env };
    for (const name of NAMES) delete process.env[`BERBIX_${name}`];
    Object.assign(process.env, values);
    try {
      await run();
    } finally {
      process.env = before;
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

  it('takes several webhook secrets with commas between, and spaces around them', async () => {
    const secrets = { BERBIX_WEBHOOK_STATUS_SECRET: ' whs_new, whs_old ' };
    await withEnvironment({ BERBIX_API_SECRET: 's', ...secrets }, async () => {
      expect(berbixConfig().webhooks).toEqual({ status: ['whs_new', 'whs_old'] });
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

  it('has the key of a template for those who read it, and no option of that name', async () => {
    const environment = { BERBIX_API_SECRET: 's', BERBIX_TEMPLATE_KEY: 'tpk_1' };
    await withEnvironment(environment, async () => {
      expect(berbixConfig().templateKey).toBe('tpk_1');
      expect({ ...berbixConfig() }).not.toHaveProperty('templateKey');
      await boot();
    });
    for (const unset of [{}, { BERBIX_TEMPLATE_KEY: '' }] as Record<string, string>[]) {
      await withEnvironment({ BERBIX_API_SECRET: 's', ...unset }, async () => {
        const config = berbixConfig();
        expect(() => config.templateKey).toThrow(BerbixConfigurationError);
        expect(() => config.templateKey).toThrow(
          /^The environment variable BERBIX_TEMPLATE_KEY is missing\. Set it to the key of a template/,
        );
        await boot();
      });
    }
  });

  it.each([
    [{}, /^The environment variable BERBIX_API_SECRET is missing\. Set it to/],
    [{ BERBIX_API_SECRET: '' }, /^The environment variable BERBIX_API_SECRET is missing/],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '5s' },
      /^The environment variable BERBIX_TIMEOUT_MS is wrong: timeoutMs must be a whole number/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '0' },
      /^The environment variable BERBIX_TIMEOUT_MS/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '20000' },
      /^The environment variable BERBIX_TIMEOUT_MS is wrong: timeoutMs \(20000\) must not be more than/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TOTAL_TIMEOUT_MS: '-5' },
      /^The environment variable BERBIX_TOTAL_TIMEOUT_MS/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_ALLOW_INSECURE: '1' },
      /^The environment variable BERBIX_ALLOW_INSECURE must be true or false/,
    ],
    [
      { BERBIX_API_SECRET: 'a b' },
      /^The environment variable BERBIX_API_SECRET is wrong: apiSecret contains/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_API_HOST: 'nonsense' },
      /^The environment variable BERBIX_API_HOST is wrong: apiHost must be a URL/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_TIMEOUT_MS: '99999999' },
      /^The environment variable BERBIX_TIMEOUT_MS is wrong: timeoutMs must be a whole number/,
    ],
    [
      { BERBIX_API_SECRET: 's', BERBIX_WEBHOOK_STATUS_SECRET: 'a,' },
      /^The environment variable BERBIX_WEBHOOK_STATUS_SECRET is wrong: webhooks\.status/,
    ],
  ])('stops the boot on %j', async (environment, message) => {
    await withEnvironment(environment, () => expect(boot()).rejects.toThrow(message));
  });
});
