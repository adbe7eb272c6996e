import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import {
  describeEachOn,
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  uniquePrefix,
} from '../support/servers.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { named, runTraced, treeOf, type Traces } from './support/traced-run.js';

const encryption = { keys: { k1: randomBytes(32).toString('base64') }, current: 'k1' };

/** Everything that must not be exported. */
let secrets: string[] = [];
/** Of the transaction; it is in none of our own spans. */
let transactionId = '';

interface Prepared {
  sandbox: BerbixSandbox;
  refreshToken: string;
  run(name: string, parameters?: object, options?: Partial<BerbixModuleOptions>): Promise<Traces>;
}

/** A sandbox with a transaction, and a way to run steps against it. */
async function prepare(options?: BerbixSandboxOptions): Promise<Prepared> {
  const sandbox = await startSandbox(options);
  const created = await createTransaction(sandbox, await servicesFor(sandbox));
  const { refreshToken, accessToken, clientToken } = created;
  transactionId = created.transactionId as string;
  secrets = [sandbox.apiSecret, refreshToken, accessToken as string, clientToken as string];
  secrets.push(encryption.keys.k1, Buffer.from(`${sandbox.apiSecret}:`).toString('base64'));
  const account = { apiSecret: sandbox.apiSecret, apiHost: sandbox.url, encryption };
  const run: Prepared['run'] = async (name, parameters, more) => {
    const traces = await runTraced(name, { ...account, ...more }, { refreshToken, ...parameters });
    expectNoSecrets(traces);
    return traces;
  };
  return { sandbox, refreshToken, run };
}

/** Nor a token that the run has got, nor the id of a customer or transaction in our own spans. */
function expectNoSecrets({ text, spans, metrics }: Traces): void {
  expect(spans.length).toBeGreaterThan(0);
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).not.toMatch(/\b(?:(?:at|rt)_|eyJ)[\w-]{8,}/);
  const own = spans.filter(({ scope }) => scope === 'nestjs-berbix');
  const told = JSON.stringify([own.map(({ name, attributes }) => [name, attributes]), metrics]);
  expect(told).not.toContain('ada');
  expect(told).not.toContain(transactionId);
}

const SERVERS = [
  {
    name: 'PostgreSQL',
    async open() {
      const { table: place } = await makeTable(postgresPool());
      return { postgres: POSTGRES_URL, place };
    },
    read: 'pg SELECT',
  },
  {
    name: 'Redis',
    async open() {
      return { redis: REDIS_URL, place: uniquePrefix() };
    },
    read: 'redis evalsha',
  },
];

describeEachOn(SERVERS)('spans over $name', ({ open, read }) => {
  it('show one exchange, to which each of its callers is linked', async () => {
    const { run } = await prepare();
    const traces = await run('cold', { ...(await open()), callers: 50 });
    const tree = treeOf(traces);
    expect(tree).toEqual(
      expect.arrayContaining([
        'berbix.tokens.renewal',
        'berbix.tokens.renewal > berbix.tokens.exchange',
        'berbix.tokens.renewal > berbix.tokens.exchange > POST',
        `berbix.tokens.renewal > ${read}`,
        'caller',
        'caller > berbix.tokens.fresh',
        'from memory',
      ]),
    );
    // Nothing of the run belongs to one of the callers.
    expect(tree.filter((path) => path.startsWith('caller > berbix.tokens.fresh > '))).toEqual([]);
    expect(tree.filter((path) => path.startsWith('from memory > '))).toEqual([]);
    const [exchange, ...others] = named(traces, 'berbix.tokens.exchange');
    expect(others).toEqual([]);
    expect(exchange).toMatchObject({
      kind: 0,
      attributes: { 'berbix.exchange.reason': 'expired', 'berbix.exchange.outcome': 'refreshed' },
    });
    const callers = named(traces, 'berbix.tokens.fresh');
    expect(callers).toHaveLength(50);
    for (const { links, attributes } of callers) {
      expect(links).toEqual([exchange?.id]);
      expect(attributes).toEqual({ 'berbix.token.source': 'exchange' });
    }
  });

  it('show what a caller alone does below the span of the call', async () => {
    const { run } = await prepare();
    const traces = await run('known', await open());
    expect(treeOf(traces)).toEqual(
      expect.arrayContaining(['caller', `caller > berbix.tokens.refresh > ${read}`]),
    );
    const [exchange] = named(traces, 'berbix.tokens.exchange');
    expect(named(traces, 'berbix.tokens.refresh')).toMatchObject([
      { links: [exchange?.id], attributes: { 'berbix.token.source': 'exchange' } },
    ]);
  });
});

describe('spans', () => {
  it('tell of a refresh token that was replaced', async () => {
    const { run } = await prepare({ refreshToken: 'rotate' });
    const [exchange] = named(await run('given', {}), 'berbix.tokens.exchange');
    expect(exchange?.attributes['berbix.exchange.outcome']).toBe('rotated');
  });

  it('show every attempt of an exchange as a request of its own', async () => {
    const { sandbox, run } = await prepare();
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens' });
    const traces = await run('given', {}, { retry: { limit: 1, backoffLimit: 1 } });
    const [first, failed] = named(traces, 'berbix.tokens.exchange');
    const attempts = traces.spans.filter(({ parent }) => parent === first?.id);
    expect(
      attempts.map(({ kind, attributes }) => [kind, attributes['http.response.status_code']]),
    ).toEqual([
      [2, 503],
      [2, 200],
    ]);
    expect(failed?.parent).toBeUndefined();
    expect(failed).toMatchObject({
      status: { code: 2 },
      attributes: {
        'berbix.exchange.outcome': 'failed',
        'error.type': 'BERBIX_INVALID_REFRESH_TOKEN',
      },
    });
    const calls = named(traces, 'berbix.tokens.refresh');
    const links = calls.map((span) => span.links);
    expect(links).toEqual([[first?.id], [first?.id], [failed?.id], []]);
    // Also one that has sent nothing.
    const codes = calls.map(({ attributes }) => attributes['error.type']);
    const invalid = 'BERBIX_INVALID_REFRESH_TOKEN';
    expect(codes).toEqual([undefined, undefined, invalid, invalid]);
  });

  it('show a renewal in the background apart from the request that began it', async () => {
    const { run } = await prepare();
    const traces = await run('proactive');
    expect(treeOf(traces)).toEqual([
      'berbix.tokens.renewal',
      'berbix.tokens.renewal > berbix.tokens.exchange',
      'berbix.tokens.renewal > berbix.tokens.exchange > POST',
      'caller',
      'caller > berbix.tokens.fresh',
    ]);
    const [exchange] = named(traces, 'berbix.tokens.exchange');
    expect(exchange?.attributes['berbix.exchange.reason']).toBe('proactive');
  });

  it('end when the caller leaves', async () => {
    const { sandbox, run } = await prepare();
    sandbox.faults.add({ kind: 'hang', path: '/v0/tokens' });
    const traces = await run('left');
    const [exchange, ...others] = named(traces, 'berbix.tokens.exchange');
    expect(others).toEqual([]);
    expect(named(traces, 'berbix.tokens.refresh')).toMatchObject([{ links: [exchange?.id] }]);
  });

  it.each([
    ['leaves', { kind: 'latency', ms: 200 }, 60, ['BERBIX_TIMEOUT', 'BERBIX_ABORTED', undefined]],
    [
      'fails',
      { kind: 'status', status: 503 },
      60_000,
      ['BERBIX_SERVER', 'BERBIX_SERVER', 'BERBIX_SERVER'],
    ],
  ] as const)(
    'are linked to the exchange of a caller who %s',
    async (_, fault, timeoutMs, outcomes) => {
      const { sandbox, run } = await prepare();
      sandbox.faults.add({ ...fault, path: '/v0/tokens', times: 1 });
      const traces = await run('impatient', { timeoutMs }, { retry: 0 });
      const [exchange, ...others] = named(traces, 'berbix.tokens.exchange');
      expect(others).toEqual([]);
      const calls = named(traces, 'berbix.tokens.fresh');
      expect(calls.map(({ attributes }) => attributes['error.type'])).toEqual(outcomes);
      for (const { links } of calls) expect(links).toEqual([exchange?.id]);
    },
  );

  it('show an operation with the tokens that it needed', async () => {
    const { run } = await prepare();
    const traces = await run('fetch');
    expect(treeOf(traces)).toEqual([
      'berbix.tokens.renewal',
      'berbix.tokens.renewal > berbix.tokens.exchange',
      'berbix.tokens.renewal > berbix.tokens.exchange > POST',
      'caller',
      'caller > berbix.transaction.fetch',
      'caller > berbix.transaction.fetch > GET',
      'caller > berbix.transaction.fetch > berbix.tokens.fresh',
    ]);
  });
});

describe('metrics', () => {
  it('count lookups, exchanges and calls of the store', async () => {
    const { run } = await prepare();
    const { metrics } = await run('cold', { callers: 3 });
    const found = Object.fromEntries(metrics.map((metric) => [metric.name, metric]));
    const account = { 'berbix.account': 'default' };
    expect(found['berbix.token.lookups']?.points).toEqual([
      { attributes: { ...account, 'berbix.token.source': 'exchange' }, value: 3 },
      { attributes: { ...account, 'berbix.token.source': 'memory' }, value: 1 },
    ]);
    expect(found['berbix.token.exchange.duration']).toMatchObject({
      unit: 's',
      points: [
        {
          attributes: { ...account, 'berbix.exchange.reason': 'expired' },
          value: { count: 1 },
        },
      ],
    });
    expect(
      found['berbix.store.operation.duration']?.points.map(
        ({ attributes }) => attributes['berbix.store.operation'],
      ),
    ).toEqual(expect.arrayContaining(['load', 'lease', 'commit']));
    expect(found['berbix.client.queue.length']?.points).toEqual([
      { attributes: account, value: 0 },
    ]);
    expect(found['berbix.client.circuit.state']?.points).toEqual([
      { attributes: account, value: 0 },
    ]);
    expect(found['berbix.cache.entries']?.points).toEqual([{ attributes: account, value: 1 }]);
  });

  it('count what goes wrong', async () => {
    const { sandbox, run } = await prepare();
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens' });
    sandbox.faults.add({ kind: 'latency', ms: 100, path: '/v0/tokens' });
    const secret = 'whs_test_status';
    const { metrics } = await run(
      'troubles',
      { secret },
      { retry: { limit: 1, backoffLimit: 1 }, webhooks: { status: secret } },
    );
    const pointsOf = (name: string): [unknown, number][] =>
      (metrics.find((metric) => metric.name === name)?.points ?? [])
        .map(
          ({
            attributes: { 'berbix.account': _account, ...attributes },
            value,
          }): [unknown, number] => [
            attributes,
            typeof value === 'number' ? value : (value as { count: number }).count,
          ],
        )
        // What alerts ask for the increase of begins at 0.
        .filter(([, value]) => value !== 0);
    expect(pointsOf('berbix.client.request.retries')).toEqual([
      [{ 'error.type': 'BERBIX_SERVER' }, 1],
    ]);
    expect(pointsOf('berbix.token.lease.wait.duration')).toEqual([[{}, 1]]);
    expect(pointsOf('berbix.token.dead')).toEqual([[{}, 1]]);
    expect(pointsOf('berbix.token.exchange.duration')).toEqual([
      [{ 'berbix.exchange.reason': 'expired' }, 1],
      [
        {
          'berbix.exchange.reason': 'expired',
          'error.type': 'BERBIX_INVALID_REFRESH_TOKEN',
        },
        1,
      ],
    ]);
    const webhook = { 'berbix.webhook.kind': 'status' };
    expect(pointsOf('berbix.webhook.deliveries')).toEqual([
      [{ ...webhook, 'berbix.webhook.outcome': 'handled' }, 1],
      [{ ...webhook, 'berbix.webhook.outcome': 'failed' }, 1],
      [{ ...webhook, 'berbix.webhook.outcome': 'repeated' }, 1],
    ]);
    expect(pointsOf('berbix.webhook.rejections')).toEqual([
      [{ ...webhook, 'error.type': 'BERBIX_WEBHOOK_SIGNATURE' }, 1],
    ]);
  });
});
