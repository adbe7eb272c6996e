import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { HookServer, status } from '../sandbox/support/hook-server.js';
import { until } from '../support/until.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

describe('webhooks', () => {
  freezeTime();
  // Nobody waits longer than two seconds for the first webhook, which may load it.
  beforeAll(() => import('undici'));
  let sandbox: BerbixSandbox;
  let hooks: HookServer;
  let api: Conversation;

  beforeEach(async () => {
    hooks = await HookServer.start();
    sandbox = await startKnownSandbox({ webhooks: { retryDelayMs: 1 } });
    api = new Conversation(sandbox);
  });

  /** Writes down what has arrived; the two kinds may come in any order. */
  async function receive(): Promise<void> {
    await sandbox.webhooks.settled();
    const received = hooks.hooks
      .splice(0)
      .toSorted((one, other) => (one.path! < other.path! ? -1 : 1));
    for (const { method, path, headers, body } of received) {
      const { host: _host, connection: _connection, ...others } = headers;
      api.note(
        [
          `The application receives ${method} ${path}`,
          ...Object.entries(others).map(([name, value]) => `${name}: ${String(value)}`),
          body,
        ].join('\n'),
      );
    }
  }

  it('are sent for each result, and for a change of it', async () => {
    const url = hooks.url.replace('/hook', '');
    sandbox.webhooks.setUrl('finished', `${url}/finished?from=berbix`);
    sandbox.webhooks.setUrl('status', `${url}/status`);
    for (const [customer_uid, flags] of [
      ['ada', []],
      ['<b> & \u2028', ['id_under_18']],
      ['bob', ['id_expired']],
    ] as const) {
      api.about(`For the flags ${JSON.stringify(flags)}`);
      const { json } = await api.create({ customer_uid });
      await api.override(json.access_token, { response_payload: 'us-dl', flags });
      await receive();
      if (flags.length > 0) continue;
      await api.update(json.access_token, { action: 'review' });
      await receive();
    }
    expectApproved('webhooks/results.txt', api.text);
  });

  it('are set, tested, spoiled and sent again by the control API', async () => {
    const post = (path: string, body: unknown) =>
      api.send('POST', `/sandbox/webhooks${path}`, { body });
    const put = (body: unknown) => api.send('PUT', '/sandbox/webhooks', { body });
    api.about('Their URLs');
    await api.send('GET', '/sandbox/webhooks');
    await post('/test', { kind: 'finished' });
    await put({ finished: hooks.url });
    await put({ finished: hooks.url, status: null });
    await api.send('GET', '/sandbox/webhooks?secrets=1');
    for (const body of [
      { finished: 'ftp://example.com' },
      { finished: 'example.com' },
      { status: 'http://ada:secret@example.com' },
      { begun: null },
    ]) {
      await put(body);
    }
    api.about('A test');
    await post('/test', { kind: 'finished' });
    await receive();
    await post('/test', { kind: 'begun' });
    await post('/test', { kind: 'finished', fault: 'late' });
    const { last } = sandbox.deliveries;
    expect(last?.headers['x-berbix-signature']).toBe(
      'v0,1907755200,120b556bc922c77a905b547b10020177989728a470444cbf48cab4ebaabfe717',
    );
    const path = `/deliveries/${last?.id}`;
    await api.send('GET', `/sandbox/webhooks${path}`);
    await api.send('GET', `/sandbox/webhooks${path}?secrets=1`);
    api.about('Sent again, with each fault');
    for (const fault of [undefined, 'late', 'unsigned', 'forged', 'old_secret']) {
      await post(`${path}/resend`, { fault });
      await receive();
    }
    await api.send('GET', `/sandbox/webhooks/deliveries/${[...sandbox.deliveries][3]?.id}`);
    await post(`${path}/resend`, { fault: 'lost' });
    await post(`${path}/resend`, { kind: 'status' });
    await post('/deliveries/unknown/resend', {});
    api.about('Spoiled');
    for (const body of [
      { fault: 'late', kind: 'status' },
      { fault: 'duplicate' },
      { fault: 'lost' },
      { fault: 'late', kind: 'begun' },
      { fault: 'late', times: 2 },
    ]) {
      await post('/faults', body);
    }
    await post('/test', { kind: 'finished' });
    await until(() => sandbox.deliveries.last?.resendOf !== undefined);
    await receive();
    await api.send('DELETE', '/sandbox/webhooks/faults');
    await put({ status: hooks.url });
    await post('/test', { kind: 'status' });
    await receive();
    await api.send('DELETE', '/sandbox/webhooks/deliveries');
    await api.send('GET', '/sandbox/webhooks/deliveries');
    expectApproved('webhooks/control.txt', api.text);
  });

  it('are attempted five times, until one is accepted', async () => {
    sandbox.webhooks.setUrl('finished', hooks.url);
    api.about('Accepted at the third attempt');
    hooks.answers.push(status(500), status(302, { location: hooks.url }));
    await sandbox.webhooks.sendTest('finished');
    await api.send('GET', '/sandbox/webhooks/deliveries');
    await receive();
    sandbox.deliveries.clear();
    api.about('Never accepted');
    hooks.answers.push(...[404, 300, 400, 503, 503].map((code) => status(code)));
    await sandbox.webhooks.sendTest('finished');
    await api.send('GET', '/sandbox/webhooks/deliveries');
    api.note(`${hooks.hooks.length} attempts`);
    hooks.hooks.length = 0;
    sandbox.deliveries.clear();
    api.about('Without an answer');
    await hooks.close();
    await sandbox.webhooks.sendTest('finished');
    await api.send('GET', '/sandbox/webhooks/deliveries');
    expectApproved('webhooks/attempts.txt', api.text);
  });
});
