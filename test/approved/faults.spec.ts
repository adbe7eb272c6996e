import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { failureOf, readAll } from '../sandbox/support/raw-client.js';
import { until } from '../support/until.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

describe('what a client gets of a fault', () => {
  freezeTime();
  let sandbox: BerbixSandbox;
  let api: Conversation;

  beforeAll(async () => {
    sandbox = await startKnownSandbox({ refreshToken: 'rotate' });
  });

  beforeEach(() => {
    sandbox.faults.clear();
    api = new Conversation(sandbox);
  });

  const add = (fault: unknown) => api.send('POST', '/sandbox/faults', { body: fault });

  it('is an answer', async () => {
    for (const fault of [
      { kind: 'latency', ms: 0 },
      { kind: 'flood', bytes: 0 },
      { kind: 'html' },
      { kind: 'html', status: 504 },
      { kind: 'status', status: 401 },
      { kind: 'status', status: 404 },
      { kind: 'status', status: 429, retry_after: 2 },
      { kind: 'status', status: 500, retry_after: 'Wed, 01 Jan 2031 00:00:00 GMT' },
      { kind: 'status', status: 503, readable: 'maintenance', message: 'Later.' },
      { kind: 'answer', body: null },
      { kind: 'answer', body: 'no JSON', status: 302, headers: { Location: '/elsewhere' } },
      { kind: 'answer', body: '', status: 204 },
      {
        kind: 'answer',
        body: {},
        headers: { 'Content-Type': 'text/html', 'X-Frame-Options': 'DENY' },
      },
    ]) {
      await add(fault);
      await api.refresh('rt_unknown');
    }
    expectApproved('faults/answers.txt', api.text);
  });

  it('can be the loss of an answer', async () => {
    const { refresh_token } = (await api.create()).json;
    let sent = refresh_token;
    for (const kind of ['html', 'status', 'answer']) {
      await add({ kind, processed: true, status: 503, ...(kind === 'answer' && { body: [] }) });
      await api.refresh(sent);
      const [transaction] = await sandbox.transactions.list();
      sent = transaction?.refreshToken;
      await api.refresh(refresh_token);
    }
    for (const fault of [
      { kind: 'reset' },
      { kind: 'reset', processed: true },
      { kind: 'truncate' },
    ]) {
      await add(fault);
      const error = await failureOf(api.open('GET', '/v0/transactions'));
      const { last } = sandbox.requests;
      await until(() => last?.durationMs !== undefined);
      api.note(`An error of the client: ${/ECONNRESET|aborted/.exec(error)?.[0]}`);
      api.note(`The answer: ${JSON.stringify([last?.status, last?.response?.body])}`);
    }
    await add({ kind: 'flood', bytes: 60 });
    const call = api.open('GET', '/v0/transactions');
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    api.note(`An answer of 60 bytes: ${await readAll(response)}`);
    expectApproved('faults/losses.txt', api.text);
  });

  it('is for the requests that it names', async () => {
    await add({ kind: 'status', status: 501, path: '/v0/tokens', method: 'PUT' });
    await add({ kind: 'status', status: 502, path: '/v0/tokens', times: 2 });
    await add({ kind: 'status', status: 503, times: 'Infinity', for_ms: 1000 });
    const ask = (method: string, path: string) =>
      api.send(method, path, {}, (text) => text.slice(0, 60));
    await ask('GET', '/v0/tokens');
    await ask('PUT', '/v0/tokens');
    await ask('POST', '/v0/tokens');
    await ask('POST', '/v0/tokens');
    sandbox.clock.advance(999);
    await ask('GET', '/sandbox/clock');
    await api.send('GET', '/sandbox/faults');
    sandbox.clock.advance(1);
    await ask('POST', '/v0/tokens');
    for (const seed of [undefined, 1, 2, 2 ** 32 - 1]) {
      sandbox.faults.clear();
      sandbox.faults.add({ kind: 'answer', body: '', probability: 0.5, seed });
      sandbox.requests.clear();
      for (let count = 0; count < 24; count += 1) await api.statusOf('GET', '/v0/tokens');
      const hits = [...sandbox.requests].map(({ fault }) => (fault === undefined ? '.' : '!'));
      api.note(`Every second request, with the seed ${seed}: ${hits.join('')}`);
    }
    sandbox.faults.clear();
    expectApproved('faults/targets.txt', api.text);
  });

  it('is refused if it makes no sense', async () => {
    const status = { kind: 'status', status: 503 };
    for (const fault of [
      {},
      { kind: 'toString' },
      { kind: 'latency' },
      { kind: 'latency', ms: -1 },
      { kind: 'latency', ms: 2 ** 31 },
      { kind: 'latency', ms: 1, processed: true },
      { kind: 'trickle', ms: 0.5 },
      { kind: 'flood', bytes: '1' },
      { kind: 'hang', processed: 1 },
      { kind: 'hang', toString: true },
      { kind: 'html', status: 399 },
      { kind: 'html', status: 600 },
      { kind: 'status' },
      { ...status, readable: 7 },
      { ...status, message: null },
      { ...status, retry_after: -1 },
      { ...status, retry_after: '\n' },
      { ...status, retry_after: true },
      { ...status, method: 'get' },
      { ...status, path: 'v0' },
      { ...status, times: 0 },
      { ...status, probability: 0 },
      { ...status, probability: 1.1 },
      { ...status, probability: 1, seed: 2 ** 32 },
      { ...status, seed: 1 },
      { ...status, for_ms: 0 },
      { ...status, for_ms: 365 * 86_400_000 + 1 },
      { kind: 'answer' },
      { kind: 'answer', body: 1, status: 199 },
      { kind: 'answer', body: 1, headers: 'x' },
      { kind: 'answer', body: 1, headers: { 'a b': 'c' } },
      { kind: 'answer', body: 1, headers: { a: 7 } },
      { kind: 'answer', body: JSON.parse('['.repeat(101) + ']'.repeat(101)) as unknown },
    ]) {
      await add(fault);
    }
    expectApproved('faults/refused.txt', api.text);
  });
});
