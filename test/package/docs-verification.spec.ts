import { describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  BerbixTransactionService,
  BerbixVerificationService,
  OnBerbixWebhook,
  type BerbixWebhookDto,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { Customers } from '../../examples/docs/customers.js';
import { handOver } from '../../examples/docs/fresh/remember.js';
import { adaAnHourLater } from '../../examples/docs/testing/dead-hour.js';
import { deliver } from '../../examples/docs/testing/deliver.js';
import { rejectedInUnitTest } from '../../examples/docs/testing/unit-test.js';
import { verifyAda } from '../../examples/docs/testing/whole-flow.js';
import { eraseCustomer } from '../../examples/docs/verification/erase.js';
import { beginHosted } from '../../examples/docs/verification/hosted.js';
import { createApp } from '../../examples/docs/verification/main.js';
import { PeriodicReview } from '../../examples/docs/verification/re-verify.js';
import { nameOf } from '../../examples/docs/verification/result.js';
import { Statuses } from '../../examples/docs/verification/statuses.js';
import { HooksController } from '../../examples/docs/verification/webhooks.controller.js';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { adapterFor, PLATFORMS } from '../support/platforms.js';
import { servicesFor, startSandbox } from '../support/services.js';
import { everyViewOf } from '../support/sinks.js';
import { begun, berbixOf, sandboxOfEnvironment } from './support/docs.js';

// It has tests of its own, like those on the page.
await import('../../examples/docs/testing/application.spec.js');

describe('docs/verification', () => {
  async function verified(sandbox: BerbixSandbox): Promise<TestingModule> {
    const module = await Test.createTestingModule({
      imports: [berbixOf(sandbox)],
      providers: [PeriodicReview],
    }).compile();
    closeAfterTest(() => module.close());
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    const transactions = module.get(BerbixTransactionService);
    const result = { responsePayload: 'us-dl', overrideFields: { given_name: 'ADA' } } as const;
    await firstValueFrom(transactions.override({ customerUid: 'ada' }, result));
    return module;
  }

  it('begin-and-resume.md: is hosted', async () => {
    const sandbox = await startSandbox();
    const { module } = await servicesFor(sandbox);
    const verifications = module.get(BerbixVerificationService);
    const { hosted } = sandbox.templateKeys;
    const start = await firstValueFrom(beginHosted(verifications, 'ada', hosted));
    expect(start.hostedUrl).toMatch(/^http/);
  });

  it('begin-and-resume.md: resumes remembered tokens, with any template', async () => {
    const sandbox = await startSandbox();
    const customers = new Customers();
    await begun(sandbox, customers);
    const { module, tokens } = await servicesFor(sandbox);
    await firstValueFrom(handOver(tokens, customers, 'ada'));
    const verifications = module.get(BerbixVerificationService);
    const start = await firstValueFrom(verifications.begin('ada', { templateKey: 'tpk_any' }));
    expect(start).toMatchObject({ isResumed: true, clientToken: expect.any(String) });
  });

  it('begin-and-resume.md: begins again with another template, even after a finished verification', async () => {
    const sandbox = await startSandbox();
    const verifications = (await verified(sandbox)).get(BerbixVerificationService);
    const { sdk, hosted } = sandbox.templateKeys;
    const again = errorOf(verifications.begin('ada', { templateKey: sdk }));
    expect((await again).code).toBe('BERBIX_CONFLICT');
    const start = await firstValueFrom(beginHosted(verifications, 'ada', hosted));
    expect(start.isResumed).toBe(false);
  });

  it('re-verify.md: begins again, and reads earlier results', async () => {
    const sandbox = await startSandbox();
    const review = (await verified(sandbox)).get(PeriodicReview);
    expect(await firstValueFrom(review.actions('ada'))).toEqual(['accept']);
    await firstValueFrom(review.begin('ada', sandbox.templateKeys.sdk));
    expect(await firstValueFrom(review.actions('ada'))).toEqual(['accept', undefined]);
  });

  it('result.md: has the name of accepted customers', async () => {
    const module = await verified(await startSandbox());
    const result = await firstValueFrom(module.get(BerbixVerificationService).result('ada'));
    expect(nameOf(result)).toMatch(/^ADA \w+$/);
    expect(nameOf({ ...result, status: 'review' })).toBeUndefined();
  });

  it('erase.md: says whether to repeat it', async () => {
    const sandbox = await startSandbox();
    const verifications = (await verified(sandbox)).get(BerbixVerificationService);
    sandbox.faults.add({ kind: 'status', status: 503, times: 10 });
    expect(await eraseCustomer(verifications, 'ada')).toBe(false);
    sandbox.faults.clear();
    expect(await eraseCustomer(verifications, 'ada')).toBe(true);
    expect((await firstValueFrom(verifications.result('ada'))).status).toBe('gone');
    await expect(eraseCustomer(verifications, '')).rejects.toMatchObject({ code: 'BERBIX_INPUT' });
  });
});

describe('docs/verification/webhooks.md and docs/testing.md', () => {
  it('advances an hour', async () => {
    const sandbox = await startSandbox();
    const { module } = await servicesFor(sandbox);
    const { sdk: templateKey } = sandbox.templateKeys;
    await firstValueFrom(module.get(BerbixVerificationService).begin('ada', { templateKey }));
    await adaAnHourLater(module.createNestApplication());
    expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(1);
    expect(sandbox.requests.last?.path).toBe('/v0/transactions');
  });

  it('has a fake Berbix for unit tests', async () => {
    expect(await rejectedInUnitTest()).toBe('rejected');
  });

  async function hooksOf(
    sandbox: BerbixSandbox,
    make: () => Promise<INestApplication>,
  ): Promise<{ app: INestApplication; url: string }> {
    process.env['BERBIX_WEBHOOK_FINISHED_SECRET'] = sandbox.webhookSecrets.finished;
    process.env['BERBIX_WEBHOOK_STATUS_SECRET'] = `old,${sandbox.webhookSecrets.status}`;
    const app = await make();
    app.useLogger(false);
    closeAfterTest(() => app.close());
    await app.listen(0, '127.0.0.1');
    return { app, url: `http://127.0.0.1:${new URL(await app.getUrl()).port}` };
  }

  it('handles signed webhooks once, for any result', async () => {
    const sandbox = await sandboxOfEnvironment();
    const { app, url } = await hooksOf(sandbox, createApp);
    await verifyAda(app, sandbox);
    expect(app.get(Statuses).get('ada')).toBe('accepted');
    expect([...sandbox.deliveries].every(({ delivered }) => delivered)).toBe(true);
    const hook = `${url}/webhooks/berbix/status`;
    expect(await deliver(hook, 'old', 'accept')).toBe(204);
    expect(await deliver(hook, 'another', 'accept')).toBe(401);
  });

  it.each(PLATFORMS)('receives them in its own controller, on %s', async (platform) => {
    const sandbox = await startSandbox();
    const secret = 'whs_test_mine';
    const handled: string[] = [];
    class Handler {
      @OnBerbixWebhook('finished')
      handle({ action }: BerbixWebhookDto): void {
        handled.push(String(action));
      }
    }
    const { url } = await hooksOf(sandbox, async () => {
      const module = await Test.createTestingModule({
        imports: [berbixOf(sandbox, { webhooks: { finished: secret } })],
        controllers: [HooksController],
        providers: [Handler],
      }).compile();
      return module.createNestApplication(adapterFor(platform), { rawBody: true });
    });
    expect(await deliver(`${url}/hooks/finished`, secret, 'accept')).toBe(204);
    expect(await deliver(`${url}/hooks/finished`, 'another', 'accept')).toBe(401);
    expect(handled).toEqual(['accept']);
  });

  it('shows no secret', async () => {
    const sandbox = await sandboxOfEnvironment();
    const { app } = await hooksOf(sandbox, createApp);
    const views = await everyViewOf(app.get(BerbixVerificationService));
    expect(views).not.toContain(sandbox.webhookSecrets.finished);
  });
});
