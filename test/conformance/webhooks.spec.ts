import { beforeEach, describe, expect, it } from '@jest/globals';
import { BerbixModule, BerbixWebhookService, isBerbixError } from 'nestjs-berbix';
import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { WEBHOOK_KINDS } from '../../lib/wire/index.js';
import { type Hook, HookServer } from '../sandbox/support/hook-server.js';
import { closeAfterTest, servicesFor, startModule, startSandbox } from '../support/services.js';
import { sdk } from './official-sdk.support.js';

/** What came of a verification; theirs may end in an exception that is none of its own. */
type Verdict = 'taken' | 'refused' | 'TypeError';

describe('webhooks of the sandbox, judged by berbix 2.0.0 for node as it is and by us', () => {
  let sandbox: BerbixSandbox;
  let server: HookServer;
  let service: BerbixWebhookService;

  beforeEach(async () => {
    server = await HookServer.start();
    closeAfterTest(() => server.close());
    sandbox = await startSandbox({
      webhooks: { finished: { url: server.url }, status: { url: server.url }, retryDelayMs: 1 },
    });
    const { apiSecret, webhookSecrets: webhooks } = sandbox;
    const module = await startModule(BerbixModule.forRoot({ apiSecret, webhooks }));
    service = module.get(BerbixWebhookService);
  });

  /** Of the webhook that came last, or of one that was altered on its way. */
  async function verdicts(
    kind: WebhookDelivery['kind'],
    changes: { body?: string; header?: string } = {},
  ): Promise<{ theirs: Verdict; ours: Verdict }> {
    const last = server.hooks.at(-1) as Hook;
    const { body, header } = {
      body: last.body,
      header: last.headers['x-berbix-signature'] as string | undefined,
      ...changes,
    };
    return {
      theirs: judge(kind, body, header),
      ours: await service.verify({ kind, header, rawBody: Buffer.from(body) }).then(
        () => 'taken' as const,
        (error: unknown) => {
          expect(isBerbixError(error) && error.code).toBe('BERBIX_WEBHOOK_SIGNATURE');
          return 'refused' as const;
        },
      ),
    };
  }

  function judge(kind: WebhookDelivery['kind'], body: string, header?: string): Verdict {
    const client = new sdk.Client({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url });
    try {
      const taken = client.validateSignature(sandbox.webhookSecrets[kind], body, header);
      return taken ? 'taken' : 'refused';
    } catch (error) {
      return (error as Error).name as 'TypeError';
    }
  }

  /** What both say. */
  const both = (verdict: Verdict) => ({ theirs: verdict, ours: verdict });

  it.each(WEBHOOK_KINDS)('take the %s webhook with its own secret alone', async (kind) => {
    await sandbox.webhooks.sendTest(kind);
    for (const judged of WEBHOOK_KINDS) {
      expect(await verdicts(judged)).toEqual(both(judged === kind ? 'taken' : 'refused'));
    }
  });

  it.each([
    ['late', 'refused', 'refused'],
    ['forged', 'refused', 'refused'],
    ['unsigned', 'TypeError', 'refused'],
    ['duplicate', 'taken', 'taken'],
  ] as const)('judge one that is %s: theirs %s, ours %s', async (fault, theirs, ours) => {
    sandbox.webhooks.failNext(fault);
    await sandbox.webhooks.sendTest('finished');
    await sandbox.webhooks.settled();
    expect(await verdicts('finished')).toEqual({ theirs, ours });
  });

  it.each(['Zoë', '東京 🪪', '<a href="x">&amp;</a>', '\u2028', 'a,b', '"\\'])(
    'take what is told of a customer called %j',
    async (customerUid) => {
      const { transactions } = await servicesFor(sandbox);
      const templateKey = sandbox.templateKeys.sdk;
      const tokens = await firstValueFrom(transactions.create({ customerUid, templateKey }));
      await firstValueFrom(transactions.override(tokens, { responsePayload: 'us-dl' }));
      await sandbox.webhooks.settled();
      const hooks = [...sandbox.deliveries];
      expect(hooks.map(({ kind }) => kind).toSorted()).toEqual(WEBHOOK_KINDS.toSorted());
      for (const { kind, body, headers } of hooks) {
        const header = headers['x-berbix-signature'] as string;
        expect(await verdicts(kind, { body, header })).toEqual(both('taken'));
        const rawBody = Buffer.from(body);
        expect(await service.verify({ kind, header, rawBody })).toMatchObject({
          kind,
          customerUid,
          transactionId: tokens.transactionId,
          action: 'accept',
        });
      }
    },
  );

  it('take no body that was altered, be it by a parser', async () => {
    await sandbox.webhooks.sendTest('finished');
    const { body } = server.hooks.at(-1) as Hook;
    for (const altered of [
      JSON.stringify(JSON.parse(body)),
      body.trimEnd(),
      `${body}\n`,
      body.replace('unique-uid', 'another-uid'),
      '',
    ]) {
      expect(await verdicts('finished', { body: altered })).toEqual(both('refused'));
    }
  });

  it('take what the tests of an application sign', async () => {
    await sandbox.webhooks.sendTest('status');
    const body = sampleWebhookBody({ customerUid: 'Zoë', action: 'accept' });
    const header = signBerbixWebhook({ secret: sandbox.webhookSecrets.status, body });
    expect(await verdicts('status', { body, header })).toEqual(both('taken'));
    expect(await verdicts('finished', { body, header })).toEqual(both('refused'));
    // The sample is the one of the dashboard, byte for byte.
    expect(server.hooks.at(-1)?.body).toBe(sampleWebhookBody());
  });
});
