import { createServer, type ServerResponse } from 'node:http';
import {
  BerbixVerificationService,
  type BerbixCallOptions,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { sampleTokens } from 'nestjs-berbix/testing';
import { firstValueFrom, type Observable } from 'rxjs';
import { closeAfterTest } from '../../support/closing.js';
import { listening, startServices } from '../../support/services.js';
import { until } from '../../support/until.js';
import type { Replica } from '../../verification/support/verification.js';

export const TOKENS = sampleTokens({ transactionId: '5' });
export const TRANSACTION = { customerUid: 'ada', templateKey: 't' };
const IMAGE = { imageSubject: 'document_front', data: 'abcd', format: 'image/jpg' } as const;

type Method = (services: Replica, call?: BerbixCallOptions) => Observable<unknown>;

/** The methods that end with their caller: nobody else waits for their request. */
export const UNSHARED: Record<string, Method> = {
  create: ({ transactions }, call) => transactions.create(TRANSACTION, call),
  createHosted: ({ transactions }, call) => transactions.createHosted(TRANSACTION, call),
  createApiOnly: ({ transactions }, call) => transactions.createApiOnly(TRANSACTION, call),
  fetch: ({ transactions }, call) => transactions.fetch(TOKENS, call),
  update: ({ transactions }, call) => transactions.update(TOKENS, { action: 'accept' }, call),
  override: ({ transactions }, call) =>
    transactions.override(TOKENS, { responsePayload: 'us-dl' }, call),
  delete: ({ transactions }, call) => transactions.delete(TOKENS, call),
  uploadImages: ({ transactions }, call) => transactions.uploadImages(TOKENS, [IMAGE], call),
  uploadIdScan: ({ transactions }, call) => transactions.uploadIdScan(TOKENS, 'abcd', call),
  'refresh of a refresh token': ({ tokens }, call) => tokens.refresh('rt_bare', call),
};

/** The methods that go on when their caller has left, since others may wait, or a transaction be lost. */
const CONTINUED: Record<string, Method> = {
  'refresh of stored tokens': ({ tokens }, call) => tokens.refresh(TOKENS, call),
  fresh: ({ tokens }, call) =>
    tokens.fresh({ customerUid: 'ada' }, { refused: TOKENS.accessToken, ...call }),
  begin: ({ verifications }, call) => verifications.begin('ada', { templateKey: 't' }, call),
  reverify: ({ verifications }, call) => verifications.reverify('ada', { templateKey: 't' }, call),
  result: ({ verifications }, call) => verifications.result('ada', call),
  erase: ({ verifications }, call) => verifications.erase('ada', call),
};

export const SENDING = Object.entries({ ...UNSHARED, ...CONTINUED });
export const ALL = [
  ...SENDING,
  ['history', ({ verifications }, call) => verifications.history('ada', call)],
] satisfies [string, Method][];

/** An account that has the tokens of a customer, and an API that answers when it is told to. */
export async function setting(options: Partial<BerbixModuleOptions> = {}) {
  const waiting: ServerResponse[] = [];
  let closed = 0;
  let refreshToken: string | undefined;
  const server = createServer((request, response) => {
    request.resume();
    response.on('close', () => closed++);
    waiting.push(response);
  });
  const apiHost = await listening(server);
  const started = await startServices({ apiSecret: 's', apiHost, retry: 0, ...options });
  const services = {
    ...started,
    verifications: started.module.get(BerbixVerificationService),
  };
  await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens: TOKENS }));
  // The shutdown waits for what goes on.
  closeAfterTest(async () => {
    server.prependListener('request', (_, response) => response.destroy());
    server.closeAllConnections();
  });
  return {
    ...services,
    requests: waiting,
    get closed() {
      return closed;
    },
    /** The API replaces the refresh token in the next exchanges. */
    rotate: (next: string) => (refreshToken = next),
    arrived: (count: number) => until(() => waiting.length === count),
    /** Answers an exchange, or a creation. */
    answer: (index: number) => {
      const tokens = { access_token: 'a', client_token: 'c', expires_in: 3600, transaction_id: 5 };
      waiting[index]
        ?.setHeader('content-type', 'application/json')
        .end(JSON.stringify({ ...tokens, refresh_token: refreshToken }));
    },
  };
}
