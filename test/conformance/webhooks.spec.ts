import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { type Hook, HookServer } from '../sandbox/support/hook-server.js';
import { bePatient } from '../sandbox/support/patience.js';

bePatient();

/** What we use of `berbix` 2.0.0, which has no types of its own. */
interface OfficialSdk {
  Client: new (options: { apiSecret: string }) => {
    validateSignature(secret: string, body: string, header: string): boolean;
  };
}

const sdk = createRequire(import.meta.url)('berbix') as OfficialSdk;

describe('validateSignature of berbix 2.0.0 for node, as it is', () => {
  let sandbox: BerbixSandbox;
  let server: HookServer;

  beforeEach(async () => {
    server = await HookServer.start();
    const webhooks = { finished: { url: server.url }, status: { url: server.url } };
    sandbox = await BerbixSandbox.start({ webhooks });
  });

  afterEach(async () => {
    await sandbox.close();
    await server.close();
  });

  /** Judges the webhook that came last. */
  function isValid(secret: string): boolean {
    const { body, headers } = server.hooks.at(-1) as Hook;
    const client = new sdk.Client({ apiSecret: sandbox.apiSecret });
    return client.validateSignature(secret, body, String(headers['x-berbix-signature']));
  }

  it.each(['finished', 'status'] as const)('accepts the %s webhook', async (kind) => {
    const { finished, status } = sandbox.webhookSecrets;
    await sandbox.webhooks.sendTest(kind);
    expect(isValid(finished)).toBe(kind === 'finished');
    expect(isValid(status)).toBe(kind === 'status');
  });

  it.each(['late', 'forged'] as const)('refuses one that is %s', async (fault) => {
    sandbox.webhooks.failNext(fault);
    await sandbox.webhooks.sendTest('finished');
    expect(isValid(sandbox.webhookSecrets.finished)).toBe(false);
  });
});
