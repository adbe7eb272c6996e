import { readFileSync } from 'node:fs';
import { globalAgent } from 'node:https';
import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BerbixSandbox, type RefreshTokenMode } from 'nestjs-berbix/sandbox';
import { bePatient } from '../sandbox/support/patience.js';

bePatient();

/** What we use of `berbix` 2.0.0, which has no types of its own. */
interface OfficialTokens {
  refreshToken?: string;
  accessToken: string;
  clientToken: string;
  expiry: number;
  transactionId: number;
  response: Record<string, unknown>;
  needsRefresh(): boolean;
}

interface OfficialClient {
  createTransaction(options: object): Promise<OfficialTokens>;
  createHostedTransaction(options: object): Promise<{ tokens: OfficialTokens; hostedUrl?: string }>;
  createApiOnlyTransaction(options: object): Promise<OfficialTokens>;
  refreshTokens(tokens: OfficialTokens): Promise<OfficialTokens>;
  fetchTransaction(tokens: OfficialTokens): Promise<Record<string, unknown>>;
  deleteTransaction(tokens: OfficialTokens): Promise<unknown>;
}

interface OfficialSdk {
  Client: new (options: { apiSecret: string; apiHost: string }) => OfficialClient;
  Tokens: { fromRefresh(refreshToken: string | undefined): OfficialTokens };
}

const sdk = createRequire(import.meta.url)('berbix') as OfficialSdk;

let sandbox: BerbixSandbox;

/** The SDK offers no way to an agent of its own: it uses the global one. */
async function start(refreshToken?: RefreshTokenMode): Promise<OfficialClient> {
  sandbox = await BerbixSandbox.start({ tls: true, ...(refreshToken && { refreshToken }) });
  globalAgent.options.ca = readFileSync(sandbox.ca ?? '');
  return new sdk.Client({ apiSecret: sandbox.apiSecret, apiHost: sandbox.tlsUrl ?? '' });
}

function options(kind: keyof BerbixSandbox['templateKeys'] = 'sdk') {
  return { customerUid: 'alice', templateKey: sandbox.templateKeys[kind] };
}

afterEach(async () => {
  await sandbox.close();
  // Not set to undefined: the options of an agent win over those of a request, also when empty.
  delete globalAgent.options.ca;
  globalAgent.destroy();
});

describe('berbix 2.0.0 for node, as it is', () => {
  it.each(['omit', 'echo', 'rotate'] as const)(
    'creates, refreshes three times, fetches and deletes: %s',
    async (mode) => {
      const client = await start(mode);
      const created = await client.createTransaction({
        ...options(),
        email: 'alice@example.com',
        phone: '+14155552671',
      });
      expect(created.refreshToken).toMatch(/^rt_/);
      expect(created.needsRefresh()).toBe(false);

      let current = created.refreshToken;
      for (let round = 1; round <= 3; round += 1) {
        const tokens = await client.refreshTokens(sdk.Tokens.fromRefresh(current));
        expect(tokens.accessToken).toMatch(/^at_/);
        expect(tokens.transactionId).toBe(created.transactionId);
        // What this SDK does where the answer has none: it forgets the one it had.
        expect(tokens.refreshToken === undefined).toBe(mode === 'omit');
        expect((tokens.refreshToken ?? current) === current).toBe(mode !== 'rotate');
        current = tokens.refreshToken ?? current;
      }

      // Without an access token it refreshes by itself.
      const metadata = await client.fetchTransaction(sdk.Tokens.fromRefresh(current));
      expect(metadata).toMatchObject({
        entity: 'transaction_metadata',
        id: created.transactionId,
        customer_uid: 'alice',
        action: '',
      });
      await expect(client.deleteTransaction(created)).resolves.toEqual({});
      await expect(client.fetchTransaction(created)).rejects.toMatchObject({
        status: 410,
        response: { code: 410, readable: 'transaction_gone' },
      });
      await expect(client.deleteTransaction(created)).rejects.toMatchObject({ status: 410 });
    },
  );

  it('creates hosted and API-only transactions', async () => {
    const client = await start();
    const hosted = await client.createHostedTransaction({
      ...options('hosted'),
      hostedOptions: { completionEmail: 'ops@example.com' },
    });
    expect(hosted.hostedUrl).toMatch(/\/hosted\/[0-9a-f]+$/);
    const forgotten = await client.createHostedTransaction(options('hosted'));
    expect(forgotten.hostedUrl).toBeUndefined();
    const apiOnly = await client.createApiOnlyTransaction({
      ...options('apiOnly'),
      apiOnlyOpts: { idCountry: 'US', idType: 'DL' },
    });
    expect(apiOnly.response.first_step).toBe('upload_document_front');
  });

  it('is refused what is dead, in words it can pass on', async () => {
    const client = await start('rotate');
    const created = await client.createTransaction(options());
    await client.refreshTokens(created);
    await expect(client.refreshTokens(created)).rejects.toMatchObject({
      status: 401,
      response: { code: 401, readable: 'invalid_refresh_token' },
    });
    sandbox.clock.advance(3_600_000);
    await expect(client.fetchTransaction(created)).rejects.toMatchObject({
      status: 401,
      response: { readable: 'invalid_access_token' },
    });
  });

  it('sends an exchange as the log shows it', async () => {
    const client = await start();
    const created = await client.createTransaction(options());
    await client.refreshTokens(created);
    const [exchange] = sandbox.requests.to('POST', '/v0/tokens');
    expect(JSON.parse(exchange?.body ?? '')).toEqual({
      grant_type: 'refresh_token',
      refresh_token: created.refreshToken,
    });
    expect(exchange?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(`${sandbox.apiSecret}:`).toString('base64')}`,
      'content-type': 'application/json',
      'user-agent': 'BerbixNode/2.0.0',
    });
  });
});
