import { readFileSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BerbixModule, BerbixTransactionService } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { firstValueFrom } from 'rxjs';
import { Statuses } from '../../examples/readme/application.js';
import { Customers } from '../../examples/readme/customers.js';
import { refreshIfPossible } from '../../examples/readme/errors.js';
import { VerificationModule } from '../../examples/readme/flow.js';
import { VerificationService } from '../../examples/readme/quick-start.js';
import { testWithSandbox } from '../../examples/readme/sandbox.js';
import { Test } from '@nestjs/testing';
import { closeAfterTest } from '../support/closing.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { changeEnvironment } from '../support/environment.js';
import { adapterFor, PLATFORMS } from '../support/platforms.js';
import { quietNest, captureOutput } from '../support/sinks.js';
import { POSTGRES_URL, describeOnPostgres, postgresPool } from '../support/servers.js';

quietNest();

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1] as string);
const sources = readdirSync('examples/readme').map((file) =>
  readFileSync(`examples/readme/${file}`, 'utf8'),
);

describe('the README', () => {
  it('is short, and the rest is on other pages', () => {
    expect(readme.split('\n').length).toBeLessThan(300);
  });

  it('shows code that is compiled and run here', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const block of blocks) expect(sources).toContain(block);
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]+)/g)].map(
      (match) => match[1] as string,
    );
    const known = new Set([...Object.keys(scripts), 'ci', 'install', 'run']);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

/** The URL of the server, with the schema as its search path. */
function inSchema(schema: string): string {
  const url = new URL(POSTGRES_URL as string);
  url.searchParams.set('options', `-csearch_path=${schema}`);
  return url.href;
}

/** The URL of a schema of its own, with the table from `table sql`. */
async function databaseWithTable(): Promise<string> {
  const schema = `readme_${randomBytes(8).toString('hex')}`;
  const pool = postgresPool();
  await pool.query(`CREATE SCHEMA ${schema}`);
  closeAfterTest(() => pool.query(`DROP SCHEMA ${schema} CASCADE`));
  await pool.query(PostgresTokenStore.sql(`${schema}.berbix_tokens`));
  return inSchema(schema);
}

afterEach(changeEnvironment({}));

describeOnPostgres.each(PLATFORMS)('the whole verification of the README, on %s', (platform) => {
  it('ends with the status from the webhook', async () => {
    const sandbox = await startSandbox();
    Object.assign(process.env, {
      BERBIX_API_SECRET: sandbox.apiSecret,
      BERBIX_API_HOST: sandbox.url,
      BERBIX_TEMPLATE_KEY: sandbox.templateKeys.sdk,
      BERBIX_WEBHOOK_FINISHED_SECRET: sandbox.webhookSecrets.finished,
      BERBIX_WEBHOOK_STATUS_SECRET: sandbox.webhookSecrets.status,
      BERBIX_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      DATABASE_URL: await databaseWithTable(),
    });
    const module = await Test.createTestingModule({ imports: [VerificationModule] }).compile();
    const complaints: unknown[] = [];
    const complain = (message: unknown): unknown => complaints.push(message);
    const app = module.createNestApplication(adapterFor(platform), {
      rawBody: true,
      logger: { log: () => {}, warn: complain, error: complain },
    });
    closeAfterTest(() => app.close());
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const kind of ['finished', 'status'] as const) {
      sandbox.webhooks.setUrl(kind, `${url}/webhooks/berbix/${kind}`);
    }

    const begin = { method: 'POST', headers: { 'x-user': 'ada' } };
    const answers = [
      await fetch(`${url}/verification`, begin),
      await fetch(`${url}/verification`, begin),
    ];
    const [first, second] = (await Promise.all(answers.map((answer) => answer.json()))) as object[];
    expect(first).toMatchObject({ clientToken: expect.any(String), isResumed: false });
    expect(second).toMatchObject({ isResumed: true });
    const owner = { customerUid: 'ada' };
    await firstValueFrom(
      app
        .get(BerbixTransactionService, { strict: false })
        .override(owner, { responsePayload: 'us-dl' }),
    );
    await sandbox.webhooks.settled();
    expect(app.get(Statuses, { strict: false }).get('ada')).toBe('accepted');
    expect([...sandbox.deliveries].map(({ status }) => status)).toEqual([204, 204]);
    // Ada comes back after finishing.
    expect(await fetch(`${url}/verification`, begin)).toMatchObject({ status: 409 });
    expect(complaints).toEqual([]);
  });
});

describe('the code of the README', () => {
  it('resumes a verification', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const created = await createTransaction(sandbox, await servicesFor(sandbox));
    const module = await Test.createTestingModule({
      imports: [BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url })],
      providers: [VerificationService, Customers],
    }).compile();
    closeAfterTest(() => module.close());
    const customers = module.get(Customers);
    await customers.save('ada', created);
    for (let visit = 0; visit < 3; visit++) {
      const answer = await firstValueFrom(module.get(VerificationService).resume('ada'));
      expect(Object.keys(answer).toSorted()).toEqual(['clientToken', 'expiresAt']);
    }
    expect(customers.refreshTokenOf('ada')).not.toBe(created.refreshToken);
  });

  it('distinguishes errors', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    expect(await firstValueFrom(refreshIfPossible(tokens, 'rt_unknown'))).toBeUndefined();
    sandbox.faults.add({ kind: 'status', status: 401 });
    await expect(firstValueFrom(refreshIfPossible(tokens, 'rt_any'))).rejects.toThrow('apiSecret');
  });

  it('tests against the sandbox', async () => {
    let printed = '';
    const { log } = console;
    console.log = (...values: unknown[]) => (printed = values.join(' '));
    try {
      await captureOutput(testWithSandbox);
    } finally {
      console.log = log;
    }
    expect(printed).toBe('true 3');
  });
});
