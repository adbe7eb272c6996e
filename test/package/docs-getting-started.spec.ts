import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { BerbixModule, BerbixTransactionService } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { firstValueFrom } from 'rxjs';
import { Customers } from '../../examples/docs/getting-started/customers.js';
import { Statuses } from '../../examples/docs/getting-started/application.js';
import { VerificationModule } from '../../examples/docs/getting-started/flow.js';
import { VerificationService } from '../../examples/docs/getting-started/resume.js';
import { closeAfterTest } from '../support/closing.js';
import { changeEnvironment } from '../support/environment.js';
import { adapterFor, PLATFORMS } from '../support/platforms.js';
import { POSTGRES_URL, describeOnPostgres, postgresPool } from '../support/servers.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';

quietNest();

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

describeOnPostgres.each(PLATFORMS)(
  'the whole verification of docs/getting-started.md, on %s',
  (platform) => {
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
      const [first, second] = (await Promise.all(
        answers.map((answer) => answer.json()),
      )) as object[];
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
  },
);

describe('the code of docs/getting-started.md', () => {
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
});
