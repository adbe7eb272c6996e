import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as sdk from 'berbix';
import type { RecordedRequest } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { servicesFor, startSandbox } from '../support/services.js';
import { type Both, officialClientOf } from './support/official-sdk.js';

async function start(): Promise<Both> {
  const sandbox = await startSandbox({ tls: true });
  const http = { ca: readFileSync(sandbox.ca as string) };
  return {
    sandbox,
    ours: await servicesFor(sandbox, { apiHost: sandbox.tlsUrl as string, http }),
    theirs: officialClientOf(sandbox),
  };
}

/** The parts of a request that the API reads. */
function essence({ method, url, body, headers }: RecordedRequest): object {
  return {
    method,
    url,
    body: JSON.parse(body) as object,
    authorization: headers.authorization,
    contentType: headers['content-type'],
  };
}

describe('over TLS, compared with the unmodified official client berbix 2.0.0', () => {
  it('an exchange is the same request', async () => {
    const { sandbox, ours, theirs } = await start();
    const { refreshToken = '' } = await theirs.createTransaction({
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

  it('a creation is the same request, and each client resumes what the other began', async () => {
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

    const refreshed = await theirs.refreshTokens(sdk.Tokens.fromRefresh(created.refreshToken));
    expect(refreshed.accessToken).toMatch(/^at_/);
  });
});
