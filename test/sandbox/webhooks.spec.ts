import { createHmac } from 'node:crypto';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type {
  BerbixSandbox,
  BerbixSandboxOptions,
  SandboxWebhooksOptions,
  WebhookFault,
  WebhookKind,
} from 'nestjs-berbix/sandbox';
import { Timers } from '../../lib/sandbox/clock.js';
import { webhookBody } from '../../lib/sandbox/webhooks/webhook.js';
import { newAuthority } from '../support/certificates.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { type Hook, HookServer, status } from './support/hook-server.js';

const SAMPLE =
  '{"transaction_id":1234123412341234,"customer_uid":"unique-uid","action":"test-action","dashboard_link":"https://docs.berbix.com","id":1234123412341234}\n';

let server: HookServer;

beforeEach(async () => {
  server = await HookServer.start();
});

afterEach(() => {
  jest.restoreAllMocks();
});

function start(webhooks?: SandboxWebhooksOptions): Promise<BerbixSandbox> {
  const both = { finished: { url: server.url }, status: { url: server.url } };
  return startSandbox({ webhooks: { ...both, retryDelayMs: 1, ...webhooks } });
}

/** The parts of the signature header, and the signature that belongs to its timestamp. */
function signatureOf({ headers, body }: Hook, secret: string) {
  const [version, timestamp, hex] = String(headers['x-berbix-signature']).split(',');
  const hmac = createHmac('sha256', secret).update(`${timestamp},${secret},`).update(body);
  return { version, timestamp: Number(timestamp), hex, expected: hmac.digest('hex') };
}

/** What the receiver of each webhook finds in the end. */
function isSigned(hook: Hook, secret: string): boolean {
  const { hex, expected } = signatureOf(hook, secret);
  return hex === expected;
}

describe('a webhook', () => {
  it('is what the Test button of the dashboard sends, signed', async () => {
    const sandbox = await start();
    sandbox.clock.set(Date.UTC(2030, 0, 1));
    for (const kind of ['finished', 'status'] as const) {
      const delivery = await sandbox.webhooks.sendTest(kind);
      const hook = server.hooks.shift() as Hook;
      expect(hook).toMatchObject({ method: 'POST', path: '/hook', body: SAMPLE });
      expect(hook.headers['content-type']).toBe('application/json');
      // The application may restart before the next one.
      expect(hook.headers.connection).toBe('close');
      const { version, timestamp, hex, expected } = signatureOf(hook, sandbox.webhookSecrets[kind]);
      expect({ version, hex }).toEqual({ version: 'v0', hex: expected });
      expect(timestamp - Date.UTC(2030, 0, 1) / 1000).toBeLessThan(60);
      expect(delivery).toEqual({
        id: expect.stringMatching(/^[\w-]{36}$/),
        kind,
        transactionId: '1234123412341234',
        customerUid: 'unique-uid',
        url: server.url,
        fault: undefined,
        resendOf: undefined,
        sentAt: expect.any(Date),
        body: SAMPLE,
        headers: {
          'content-type': 'application/json',
          'x-berbix-signature': hook.headers['x-berbix-signature'],
        },
        attempts: 1,
        status: 200,
        problem: undefined,
        delivered: true,
      });
    }
    expect(sandbox.webhookSecrets.finished).not.toBe(sandbox.webhookSecrets.status);
  });

  it('has the bytes that Go writes, and all digits of its ids', () => {
    const body = webhookBody({
      transactionId: '9223372036854775807',
      customerUid: 'Zoë <a&b> "q" \u2028\u2029 \u{1f600}',
      action: 'accept',
      dashboardLink: 'https://x/?a=1&b=2',
    });
    expect(body).toBe(
      '{"transaction_id":9223372036854775807,' +
        '"customer_uid":"Zoë \\u003ca\\u0026b\\u003e \\"q\\" \\u2028\\u2029 \u{1f600}",' +
        '"action":"accept","dashboard_link":"https://x/?a=1\\u0026b=2","id":9223372036854775807}\n',
    );
  });

  it('is sent again until it is accepted, with a new signature each time', async () => {
    const sandbox = await start();
    const { finished } = sandbox.webhookSecrets;
    const later = (code: number) => (response: Parameters<ReturnType<typeof status>>[0]) => {
      sandbox.clock.advance(10_000);
      status(code, { location: server.url })(response);
    };
    server.answers.push(
      later(500),
      later(302),
      (response) => response.destroy(),
      later(404),
      later(204),
    );
    const delivery = await sandbox.webhooks.sendTest('finished');
    expect(delivery).toMatchObject({
      attempts: 5,
      status: 204,
      problem: undefined,
      delivered: true,
    });
    expect(server.hooks).toHaveLength(5);
    const signatures = server.hooks.map((hook) => signatureOf(hook, finished));
    for (const { hex, expected } of signatures) expect(hex).toBe(expected);
    const first = signatures[0]?.timestamp ?? 0;
    expect((signatures[4]?.timestamp ?? 0) - first).toBeGreaterThanOrEqual(30);
    expect(delivery.headers['x-berbix-signature']).toBe(
      server.hooks[4]?.headers['x-berbix-signature'],
    );
  });

  it('is given up after five attempts, with twice the delay each time', async () => {
    const waits: number[] = [];
    jest.spyOn(Timers.prototype, 'wait').mockImplementation(async (ms) => void waits.push(ms));
    const sandbox = await start({ retryDelayMs: undefined });
    server.answers.push(...Array.from({ length: 5 }, () => status(503)));
    const delivery = await sandbox.webhooks.sendTest('status');
    expect(delivery).toMatchObject({ attempts: 5, status: 503, delivered: false });
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
    expect(server.hooks).toHaveLength(5);
  });

  it('says why there was no answer', async () => {
    const [hasty, sandbox] = [await start({ timeoutMs: 20 }), await start()];
    server.answers.push(...Array.from({ length: 5 }, () => () => undefined));
    const slow = await hasty.webhooks.sendTest('finished');
    expect(slow).toMatchObject({ attempts: 5, problem: 'TimeoutError', delivered: false });
    await server.close();
    const refused = await sandbox.webhooks.sendTest('finished');
    expect(refused).toMatchObject({ attempts: 5, status: undefined, problem: 'ECONNREFUSED' });
  });

  it('counts as delivered with the status, even if the body fails', async () => {
    const sandbox = await start();
    let hangUp: (() => void) | undefined;
    server.answers.push((response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half');
      hangUp = () => response.destroy();
    });
    const delivery = sandbox.webhooks.sendTest('finished');
    await until(() => sandbox.deliveries.last?.delivered === true);
    hangUp?.();
    expect(await delivery).toMatchObject({ attempts: 1, problem: undefined, delivered: true });
  });

  it('ends with the sandbox, in flight or between two attempts', async () => {
    const sandbox = await start({ retryDelayMs: 3_600_000 });
    server.answers.push(status(500), () => undefined);
    const waiting = sandbox.webhooks.sendTest('finished');
    await until(() => sandbox.deliveries.last?.status === 500);
    const underWay = sandbox.webhooks.sendTest('finished');
    await until(() => server.hooks.length === 2);
    await sandbox.close();
    await expect(waiting).resolves.toMatchObject({ attempts: 1, status: 500, delivered: false });
    await expect(underWay).resolves.toMatchObject({ attempts: 1, delivered: false });
    const after = await sandbox.webhooks.sendTest('finished');
    expect(after).toMatchObject({ attempts: 1, problem: 'UND_ERR_DESTROYED', delivered: false });
    expect(server.hooks).toHaveLength(2);
  });

  it('is sent over TLS to servers with a certificate of a trusted authority', async () => {
    const { ca, issue } = await newAuthority();
    const secure = await HookServer.start(await issue('127.0.0.1'));
    const trusting = await start({ ca });
    trusting.webhooks.setUrl('finished', secure.url);
    const contexts = jest.spyOn(tls, 'createSecureContext');
    expect(await trusting.webhooks.sendTest('finished')).toMatchObject({ delivered: true });
    // Applications with a certificate of a public authority remain trusted; none is at hand.
    const trusted = contexts.mock.calls.map(([options]) => options?.ca);
    expect(trusted).toEqual([[...tls.rootCertificates, ca]]);
    const careless = await start({ insecure: true });
    careless.webhooks.setUrl('finished', secure.url);
    expect(await careless.webhooks.sendTest('finished')).toMatchObject({ delivered: true });
    const stranger = await start();
    stranger.webhooks.setUrl('finished', secure.url);
    expect(await stranger.webhooks.sendTest('finished')).toMatchObject({
      delivered: false,
      problem: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
    });
  });
});

describe('the faults of webhooks', () => {
  const CASES: [WebhookFault, (hook: Hook, secret: string) => unknown][] = [
    ['unsigned', ({ headers }) => headers['x-berbix-signature'] === undefined],
    ['forged', (hook, secret) => !isSigned(hook, secret) && !isSigned(hook, `${secret}-old`)],
    ['old_secret', (hook, secret) => !isSigned(hook, secret) && isSigned(hook, `${secret}-old`)],
    [
      'late',
      (hook, secret) =>
        isSigned(hook, secret) &&
        signatureOf(hook, secret).timestamp < Date.now() / 1000 - 86_400 + 60,
    ],
  ];

  it.each(CASES)('%s: applies to all attempts of the next webhook only', async (fault, shows) => {
    const sandbox = await start();
    const { finished } = sandbox.webhookSecrets;
    sandbox.webhooks.failNext(fault);
    server.answers.push(status(400));
    await sandbox.webhooks.sendTest('finished');
    await sandbox.webhooks.sendTest('finished');
    expect(server.hooks.map((hook) => shows(hook, finished))).toEqual([true, true, false]);
  });

  it('duplicate: is sent again after it was delivered', async () => {
    const sandbox = await start();
    sandbox.webhooks.failNext('duplicate');
    await sandbox.webhooks.sendTest('finished');
    expect(server.hooks.map(({ body }) => body)).toEqual([SAMPLE, SAMPLE]);
    for (const hook of server.hooks) {
      expect(isSigned(hook, sandbox.webhookSecrets.finished)).toBe(true);
    }
    const [first, second] = sandbox.deliveries.of('finished');
    expect(first).toMatchObject({ fault: 'duplicate', resendOf: undefined });
    expect(second).toMatchObject({ fault: undefined, resendOf: first?.id });
  });

  it('apply in their order to the kind they are for, and can be removed', async () => {
    const sandbox = await start();
    const { webhooks } = sandbox;
    webhooks.failNext('unsigned', 'status');
    webhooks.failNext('unsigned');
    await webhooks.sendTest('finished');
    await webhooks.sendTest('finished');
    await webhooks.sendTest('status');
    webhooks.failNext('unsigned');
    webhooks.clearFaults();
    await webhooks.sendTest('status');
    const signed = server.hooks.map(({ headers }) => 'x-berbix-signature' in headers);
    expect(signed).toEqual([false, true, false, true]);
  });

  it.each(CASES)('%s: can spoil a webhook that is sent again', async (fault, shows) => {
    const sandbox = await start();
    const { finished } = sandbox.webhookSecrets;
    const first = await sandbox.webhooks.sendTest('finished');
    sandbox.webhooks.setUrl('finished', undefined);
    const again = await sandbox.webhooks.resend(first.id);
    await sandbox.webhooks.resend(again.id, fault);
    expect(server.hooks.map((hook) => shows(hook, finished))).toEqual([false, false, true]);
    expect(new Set(server.hooks.map(({ body }) => body))).toEqual(new Set([first.body]));
    expect([...sandbox.deliveries].slice(0, 2)).toEqual([first, again]);
    expect(again.id).not.toBe(first.id);
    sandbox.deliveries.clear();
    await expect(sandbox.webhooks.resend(first.id)).rejects.toThrow('No webhook with this id');
  });

  it('are not those of a webhook that is sent again, to the current URL', async () => {
    const sandbox = await start();
    const first = await sandbox.webhooks.sendTest('finished');
    const other = await HookServer.start();
    sandbox.webhooks.setUrl('finished', other.url);
    sandbox.webhooks.failNext('unsigned');
    const again = await sandbox.webhooks.resend(first.id);
    expect(again).toMatchObject({ url: other.url, delivered: true });
    expect([server.hooks.length, other.hooks.length]).toEqual([1, 1]);
    expect(isSigned(other.hooks[0] as Hook, sandbox.webhookSecrets.finished)).toBe(true);
  });

  it('are validated', async () => {
    const { webhooks } = await start();
    expect(() => webhooks.failNext('early' as WebhookFault)).toThrow(
      'The fault of a webhook must be one of duplicate, late, unsigned, forged, old_secret.',
    );
    await expect(webhooks.resend('1', 'early' as WebhookFault)).rejects.toThrow('The fault of a');
    const kind = 'done' as WebhookKind;
    expect(() => webhooks.failNext('late', kind)).toThrow(
      'The kind of a webhook must be one of finished, status.',
    );
  });
});

describe('sandbox.webhooks', () => {
  it('sends to a URL that is set later, and refuses invalid ones', async () => {
    const sandbox = await startSandbox();
    const { webhooks } = sandbox;
    expect(webhooks.url('finished')).toBeUndefined();
    await expect(webhooks.sendTest('finished')).rejects.toThrow(
      'The finished webhook has no URL. Set one with webhooks.setUrl().',
    );
    webhooks.setUrl('finished', server.url);
    expect(await webhooks.sendTest('finished')).toMatchObject({ delivered: true });
    webhooks.setUrl('finished', undefined);
    await expect(webhooks.sendTest('finished')).rejects.toThrow('has no URL');
    for (const url of ['', 'localhost:3000', 'ftp://x', '/hook']) {
      expect(() => webhooks.setUrl('finished', url)).toThrow(
        'The URL of a webhook must be a URL that begins with http:// or https://.',
      );
    }
    for (const user of ['user:HIDDENWORD', 'HIDDENWORD', ':HIDDENWORD']) {
      expect(() => webhooks.setUrl('finished', `http://${user}@localhost/`)).toThrow(
        /^The URL of a webhook must be a URL without a user name and password\.$/,
      );
    }
    await expect(webhooks.sendTest('x' as WebhookKind)).rejects.toThrow('must be one of finished');
    expect(() => webhooks.setUrl('x' as WebhookKind, server.url)).toThrow('must be one of');
  });

  it('has its secrets, in the ready line too', async () => {
    const sandbox = await start({ finished: { url: server.url, secret: 'mine' } });
    expect(sandbox.webhookSecrets).toEqual({
      finished: 'mine',
      status: expect.stringMatching(/^whs_test_[A-Za-z0-9]{32}$/),
    });
    expect(sandbox.ready().webhookSecrets).toEqual(sandbox.webhookSecrets);
    const without = await startSandbox();
    expect(without.webhookSecrets.finished).toMatch(/^whs_test_/);
    expect(without.ready().webhookSecrets).toEqual(without.webhookSecrets);
  });

  it('logs deliveries', async () => {
    const sandbox = await start();
    void sandbox.webhooks.sendTest('finished');
    void sandbox.webhooks.sendTest('status');
    await sandbox.webhooks.settled();
    const { deliveries } = sandbox;
    expect(deliveries.length).toBe(2);
    expect([...deliveries].map(({ kind }) => kind)).toEqual(['finished', 'status']);
    expect(deliveries.of('status')).toEqual([deliveries.last]);
    expect(JSON.parse(JSON.stringify(deliveries))).toHaveLength(2);
    deliveries.clear();
    expect(deliveries.last).toBeUndefined();
  });

  it('settles when those are delivered, too, that were sent meanwhile', async () => {
    const sandbox = await start();
    server.answers.push((response) => {
      void sandbox.webhooks.sendTest('status');
      status(200)(response);
    });
    void sandbox.webhooks.sendTest('finished');
    await sandbox.webhooks.settled();
    const delivered = [...sandbox.deliveries].map((delivery) => delivery.delivered);
    expect(delivered).toEqual([true, true]);
  });

  it('waits for the first attempt of a webhook, not of another one', async () => {
    const sandbox = await start();
    const one = await sandbox.webhooks.sendTest('finished');
    const [first, second] = [
      { ...one, id: '1', status: undefined },
      { ...one, id: '2', status: undefined },
    ];
    const attempted: string[] = [];
    const waits = [second, first].map(async (delivery) => {
      await sandbox.deliveries.firstAttempt(delivery);
      attempted.push(delivery.id);
    });
    sandbox.deliveries.attempted(first);
    await waits[1];
    sandbox.deliveries.attempted(second);
    await waits[0];
    expect(attempted).toEqual(['1', '2']);
  });

  it('logs the last 1000 deliveries', async () => {
    const sandbox = await start();
    const delivery = await sandbox.webhooks.sendTest('finished');
    sandbox.deliveries.clear();
    for (let id = 0; id <= 1000; id += 1) sandbox.deliveries.add({ ...delivery, id: String(id) });
    expect(sandbox.deliveries.length).toBe(1000);
    expect([sandbox.deliveries.find('0'), sandbox.deliveries.find('1')?.id]).toEqual([
      undefined,
      '1',
    ]);
  });

  it.each([
    [[], '"webhooks" must be an object'],
    [{ done: {} }, '"webhooks.done" is not known; the options of webhooks are finished, status,'],
    [{ finished: 'http://x' }, '"webhooks.finished" must be an object'],
    [{ finished: { uri: 'x' } }, '"webhooks.finished.uri" is not known;'],
    [{ status: { url: 'x' } }, '"webhooks.status.url" must be a URL that begins with http://'],
    [{ status: { secret: '' } }, '"webhooks.status.secret" must be one or more letters, digits'],
    [{ retryDelayMs: 0 }, '"webhooks.retryDelayMs" must be a whole number from 1 to 3600000'],
    [{ timeoutMs: 1.5 }, '"webhooks.timeoutMs" must be a whole number from 1'],
    [{ ca: '/etc/ca.pem' }, '"webhooks.ca" must be CA certificates in PEM'],
  ])('refuses %j', async (webhooks, message) => {
    const options = { webhooks } as BerbixSandboxOptions;
    await expect(startSandbox(options)).rejects.toThrow(`The sandbox option ${message}`);
  });
});
