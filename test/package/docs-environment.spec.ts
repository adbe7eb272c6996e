import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { firstValueFrom } from 'rxjs';
import { temporaryDirectory } from '../support/directories.js';
import { listen } from '../support/platforms.js';
import { quietNest } from '../support/sinks.js';
import { sharedPglite } from '../support/servers.js';
import { createTransaction, servicesFor, startModule, startSandbox } from '../support/services.js';

quietNest();

const sandbox = await startSandbox();

/** Loads the examples in a directory with a file `.env`: it is read when a module is declared. */
async function besideEnvFile<T>(variables: object, load: () => Promise<T>): Promise<T> {
  const directory = temporaryDirectory();
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(directory, '.env'), lines.join(''));
  const before = process.cwd();
  process.chdir(directory);
  try {
    return await load();
  } finally {
    process.chdir(before);
  }
}

const variables = {
  BERBIX_API_SECRET: sandbox.apiSecret,
  BERBIX_API_HOST: sandbox.url,
  BERBIX_TEMPLATE_KEY: sandbox.templateKeys.sdk,
  BERBIX_WEBHOOK_FINISHED_SECRET: sandbox.webhookSecrets.finished,
  BERBIX_WEBHOOK_STATUS_SECRET: sandbox.webhookSecrets.status,
  BERBIX_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
};
for (const name of Object.keys(variables)) delete process.env[name];
const { application, customers, flow, resume } = await besideEnvFile(variables, async () => ({
  application: await import('../../examples/docs/getting-started/application.js'),
  customers: await import('../../examples/docs/getting-started/customers.js'),
  flow: await import('../../examples/docs/getting-started/flow.js'),
  resume: await import('../../examples/docs/getting-started/resume.js'),
}));

/** The main example, with an embedded database. */
async function mainExample(): Promise<TestingModuleBuilder> {
  const pool = await sharedPglite();
  await new PostgresTokenStore(pool).createTable();
  return Test.createTestingModule({ imports: [flow.VerificationModule] })
    .overrideProvider(application.Database)
    .useValue({ pool });
}

describe('the examples of docs/getting-started.md, with the variables in a file .env', () => {
  it('begin a verification', async () => {
    const url = await listen(await mainExample(), 'express');
    const begin = { method: 'POST', headers: { 'x-user': 'ada' } };
    const answer = await fetch(`${url}/verification`, begin);
    expect(await answer.json()).toMatchObject({ clientToken: expect.any(String) });
  });

  it('resume a verification whose refresh token is in a table of the application', async () => {
    const created = await createTransaction(sandbox, await servicesFor(sandbox));
    const module = await startModule({ module: resume.VerificationModule });
    await module.get(customers.Customers).save('ada', created);
    const resumed = await firstValueFrom(module.get(resume.VerificationService).resume('ada'));
    expect(resumed.clientToken).toBeTruthy();
  });

  it('do not start without the key of a template', async () => {
    delete process.env['BERBIX_TEMPLATE_KEY'];
    const example = await mainExample();
    await expect(example.compile()).rejects.toThrow(
      'The environment variable BERBIX_TEMPLATE_KEY is missing. Set it to the key of a template from the Berbix dashboard.',
    );
  });
});
