import { beforeEach, describe, expect, it } from '@jest/globals';
import * as sdk from 'berbix';
import { BerbixModule, BerbixWebhookService, isBerbixError } from 'nestjs-berbix';
import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { WEBHOOK_KINDS } from '../../lib/wire/index.js';
import { type Hook, HookServer } from '../sandbox/support/hook-server.js';
import { closeAfterTest } from '../support/closing.js';
import { servicesFor, startModule, startSandbox } from '../support/services.js';

/** The outcome of a verification; theirs may be an exception of JavaScript. */
type Verdict = 'accepted' | 'refused' | 'TypeError';

describe('webhooks of the sandbox, verified by the unmodified berbix 2.0.0 for Node.js and by this package', () => {
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

  /** The outcomes for the last webhook, or for an altered one. */
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
        () => 'accepted' as const,
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
      const isAccepted = client.validateSignature(sandbox.webhookSecrets[kind], body, header);
      return isAccepted ? 'accepted' : 'refused';
    } catch (error) {
      return (error as Error).name as 'TypeError';
    }
  }

  /** The outcomes of both. */
  const both = (verdict: Verdict) => ({ theirs: verdict, ours: verdict });

  it.each(WEBHOOK_KINDS)(
    'are accepted only with the secret of their own kind: %s',
    async (kind) => {
      await sandbox.webhooks.sendTest(kind);
      for (const judged of WEBHOOK_KINDS) {
        expect(await verdicts(judged)).toEqual(both(judged === kind ? 'accepted' : 'refused'));
      }
    },
  );

  it.each([
    ['late', 'refused', 'refused'],
    ['forged', 'refused', 'refused'],
    ['unsigned', 'TypeError', 'refused'],
    ['duplicate', 'accepted', 'accepted'],
  ] as const)('with the fault %s: theirs is %s, ours is %s', async (fault, theirs, ours) => {
    sandbox.webhooks.failNext(fault);
    await sandbox.webhooks.sendTest('finished');
    await sandbox.webhooks.settled();
    expect(await verdicts('finished')).toEqual({ theirs, ours });
  });

  it.each(['Zoë', '東京 🪪', '<a href="x">&amp;</a>', '\u2028', 'a,b', '"\\'])(
    'are accepted for a customer called %j',
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
        expect(await verdicts(kind, { body, header })).toEqual(both('accepted'));
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

  it('are not accepted with a changed body, not even one from a parser', async () => {
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

  it('are accepted if the tests of an application sign them', async () => {
    await sandbox.webhooks.sendTest('status');
    const body = sampleWebhookBody({ customerUid: 'Zoë', action: 'accept' });
    const header = signBerbixWebhook({ secret: sandbox.webhookSecrets.status, body });
    expect(await verdicts('status', { body, header })).toEqual(both('accepted'));
    expect(await verdicts('finished', { body, header })).toEqual(both('refused'));
    // The sample equals the one of the dashboard, byte for byte.
    expect(server.hooks.at(-1)?.body).toBe(sampleWebhookBody());
  });
});
