import { readFileSync } from 'node:fs';
import { globalAgent } from 'node:https';
import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, RecordedRequest } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { servicesFor, startSandbox, type Services } from '../support/services.js';

interface OfficialTokens {
  refreshToken: string;
}

interface OfficialSdk {
  Client: new (options: { apiSecret: string; apiHost: string }) => {
    createTransaction(options: object): Promise<OfficialTokens>;
    refreshTokens(tokens: OfficialTokens): Promise<{ accessToken: string }>;
  };
  Tokens: { fromRefresh(refreshToken: string): OfficialTokens };
}

const sdk = createRequire(import.meta.url)('berbix') as OfficialSdk;

afterEach(() => {
  delete globalAgent.options.ca;
  globalAgent.destroy();
});

interface Both {
  sandbox: BerbixSandbox;
  ours: Services;
  theirs: InstanceType<OfficialSdk['Client']>;
}

async function start(): Promise<Both> {
  const sandbox = await startSandbox({ tls: true });
  const ca = readFileSync(sandbox.ca as string);
  globalAgent.options.ca = ca;
  const apiHost = sandbox.tlsUrl as string;
  return {
    sandbox,
    ours: await servicesFor(sandbox, { apiHost, http: { ca } }),
    theirs: new sdk.Client({ apiSecret: sandbox.apiSecret, apiHost }),
  };
}

/** What the API reads of a request. */
function essence({ method, url, body, headers }: RecordedRequest): object {
  return {
    method,
    url,
    body: JSON.parse(body) as object,
    authorization: headers.authorization,
    contentType: headers['content-type'],
  };
}

describe('over TLS, beside the official client berbix 2.0.0 as it is', () => {
  it('an exchange is the same request', async () => {
    const { sandbox, ours, theirs } = await start();
    const { refreshToken } = await theirs.createTransaction({
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
    });
    sandbox.requests.clear();
    await theirs.refreshTokens(sdk.Tokens.fromRefresh(refreshToken));
    const tokens = await firstValueFrom(ours.tokens.refresh(refreshToken));
    expect(tokens.accessToken).toMatch(/^at_/);

    const [official, our] = [...sandbox.requests].map(essence);
    expect(our).toEqual(official);
    expect(our).toMatchObject({ method: 'POST', url: '/v0/tokens' });
  });

  it('a creation is the same request, and each takes up what the other began', async () => {
    const { sandbox, ours, theirs } = await start();
    const transaction = {
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
      email: 'ada@example.com',
      phone: '+14155552671',
    };
    await theirs.createTransaction(transaction);
    const created = await firstValueFrom(ours.transactions.create(transaction));
    const [official, our] = [...sandbox.requests].map(essence);
    expect(our).toEqual(official);

    const taken = await theirs.refreshTokens(sdk.Tokens.fromRefresh(created.refreshToken));
    expect(taken.accessToken).toMatch(/^at_/);
  });
});
