import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, BerbixSandboxReady } from 'nestjs-berbix/sandbox';
import { failedAttemptLine, requestLine } from '../../lib/cli/sandbox.activity.js';
import { networkWarningOf, summaryOf } from '../../lib/cli/sandbox.summary.js';
import { databaseDirectory, temporaryDirectory } from '../support/directories.js';
import { CommandRuns } from './support/cli-run.js';
import { HookServer } from './support/hook-server.js';
import { basic } from './support/raw-client.js';

let runs: CommandRuns;
beforeEach(() => {
  runs = new CommandRuns();
});

/** Starts one and ends it. */
async function ready(args: string[] = [], env?: NodeJS.ProcessEnv) {
  const { output, end } = await runs.startHere(['--json', ...args], env);
  const { code, stderr } = await end();
  expect(code).toBe(0);
  const { url: _, ...secrets } = JSON.parse(output) as BerbixSandboxReady;
  return { secrets, stderr };
}

/** The variables of the part to paste. */
function environmentOf(output: string): Record<string, string | undefined> {
  const lines = [...output.matchAll(/^ {2}([A-Z_]+)=(\S+)$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
}

describe('what nestjs-berbix sandbox prints', () => {
  it('is one line for each request and each failed webhook, on standard error', async () => {
    const nobody = ['--webhook-finished', 'http://127.0.0.1:9/hook/kHmZ81PsVw?key=kHmZ81PsVw'];
    const { child, output, stdout, stderr } = await runs.start(['sandbox', '--json', ...nobody]);
    const { url, apiSecret } = JSON.parse(output) as BerbixSandboxReady;
    await fetch(`${url}/v0/tokens`, { headers: { authorization: basic(apiSecret) } });
    await fetch(`${url}/prefix/v0/transactions?client_token=kHmZ81PsVw`, { method: 'DELETE' });
    await fetch(`${url}/v1/tokens/kHmZ81PsVw`);
    await fetch(`${url}/sandbox/requests`);
    const test = { method: 'POST', body: '{"kind":"finished"}' };
    await fetch(`${url}/sandbox/webhooks/test`, {
      ...test,
      headers: { 'content-type': 'application/json' },
    });
    child.kill('SIGTERM');
    const lines = (await stderr).replaceAll(/\d+ ms/g, '1 ms').split('\n');
    expect(lines).toEqual([
      'GET /v0/tokens 404 1 ms',
      'DELETE /v0/transactions 401 1 ms',
      'GET /v1/tokens/*** 404 1 ms',
      'webhook finished to http://127.0.0.1:9/hook/*** failed: ECONNREFUSED (attempt 1 of 5)',
      '',
    ]);
    await expect(stdout).resolves.toBe(output);
  });

  it('blocks no request if nobody reads it', async () => {
    const { child, output, code } = await runs.start(['sandbox', '--json'], {}, 'unread');
    const { url } = JSON.parse(output) as BerbixSandboxReady;
    const long = url + '/abcdefghi'.repeat(1200);
    for (let calls = 0; calls < 60; calls += 1) expect((await fetch(long)).status).toBe(404);
    child.kill('SIGTERM');
    await expect(code).resolves.toBe(0);
  });

  it('goes on if its reader has left', async () => {
    const { child, output, code } = await runs.start(['sandbox', '--json'], {}, 'unread');
    child.stderr?.destroy();
    const { url } = JSON.parse(output) as BerbixSandboxReady;
    for (let calls = 0; calls < 3; calls += 1) expect((await fetch(`${url}/v1`)).status).toBe(404);
    child.kill('SIGTERM');
    await expect(code).resolves.toBe(0);
  });

  it('has no line for a webhook that is accepted', async () => {
    const server = await HookServer.start();
    const { output, end } = await runs.startHere(['--json', '--webhook-status', server.url]);
    const { url } = JSON.parse(output) as BerbixSandboxReady;
    const tested = await fetch(`${url}/sandbox/webhooks/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"status"}',
    });
    expect(await tested.json()).toMatchObject({ delivered: true });
    expect((await end()).stderr).toBe('');
  });

  it('has none of these lines with --quiet', async () => {
    const { output, end } = await runs.startHere(['--json', '--quiet', '--host', '127.0.0.1']);
    await fetch(`${(JSON.parse(output) as BerbixSandboxReady).url}/v0/tokens`);
    expect((await end()).stderr).toBe('');
  });

  it('includes environment variables for the application, all of them correct', async () => {
    // The same secrets as at any other start.
    const { secrets } = await ready();
    const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const hook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { output } = await runs.startHere(['--webhook-status', hook]);
    const environment = environmentOf(output);
    const { apiSecret, liveApiSecret, templateKeys, webhookSecrets } = secrets;
    expect(Object.entries(environment)).toEqual([
      ['BERBIX_API_SECRET', apiSecret],
      ['BERBIX_API_HOST', expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)],
      ['BERBIX_TEMPLATE_KEY', templateKeys?.sdk],
      ['BERBIX_WEBHOOK_FINISHED_SECRET', webhookSecrets?.finished],
      ['BERBIX_WEBHOOK_STATUS_SECRET', webhookSecrets?.status],
    ]);
    expect(output).toContain(`  live secret   ${liveApiSecret}\n`);
    expect(output).toContain(`  templates     ${templateKeys?.sdk} (SDK)\n`);
    expect(output).toContain(`                ${templateKeys?.hosted} (hosted)\n`);
    expect(output).toContain(`                ${templateKeys?.apiOnly} (API-only)\n`);
    const created = await fetch(`${environment.BERBIX_API_HOST}/v0/transactions`, {
      method: 'POST',
      headers: { authorization: basic(environment.BERBIX_API_SECRET ?? '') },
      body: JSON.stringify({ customer_uid: 'a', template_key: environment.BERBIX_TEMPLATE_KEY }),
    });
    expect(created.status).toBe(200);
    expect(environment.BERBIX_WEBHOOK_STATUS_SECRET).toMatch(/^whs_test_\w+$/);
    expect(output).not.toContain('webhooks ');
    server.close();
  });

  it('includes what an application needs to reach a sandbox in a container', async () => {
    const args = ['--host', '0.0.0.0', '--public-url', 'http://berbix:4010', '--tls'];
    const { output, end } = await runs.startHere(args);
    expect((await end()).stderr).toMatch(
      /^The sandbox has no login: everybody who can reach 0\.0\.0\.0 can use it\. In a container,/,
    );
    expect(environmentOf(output)).toMatchObject({
      BERBIX_API_HOST: 'http://berbix:4010',
      BERBIX_ALLOW_INSECURE: 'true',
      BERBIX_EXTRA_CA_FILE: expect.stringMatching(/ca\.pem$/),
    });
    // curl needs no CA file for plain HTTP.
    expect(output).toContain("  curl -u '");
    expect(output).toMatch(
      /^ {2}public URL {4}http:\/\/berbix:4010\n {2}API \(HTTP\) {4}http:\/\/127/m,
    );
  });

  it('says what to install for the API reference', () => {
    const sandbox = {
      url: 'http://127.0.0.1:1',
      templateKeys: {},
      webhookSecrets: {},
      webhooks: { url: () => undefined },
      referenceCommand: 'npm install @nestjs/swagger',
    };
    expect(summaryOf(sandbox as unknown as BerbixSandbox)).toContain(
      '\n  API reference after npm install @nestjs/swagger\n',
    );
  });

  it('warns of everybody at all addresses of IPv6', () => {
    expect(networkWarningOf({ host: '::' })).toContain('reach :: can use it');
  });

  it.each(['127.0.0.1', '::1', 'localhost'])('warns of nobody at %s', (host) => {
    expect(networkWarningOf({ host })).toBe('');
  });

  it('includes what an application and curl need to reach it by a public HTTPS URL', async () => {
    const url = 'https://berbix.internal:4443';
    const { output } = await runs.startHere(['--public-url', url, '--tls']);
    const { BERBIX_API_HOST, BERBIX_EXTRA_CA_FILE = '', ...others } = environmentOf(output);
    expect(BERBIX_API_HOST).toBe(url);
    expect(readFileSync(BERBIX_EXTRA_CA_FILE, 'utf8')).toMatch(/^-----BEGIN CERTIFICATE/);
    expect(others).not.toHaveProperty('NODE_EXTRA_CA_CERTS');
    expect(others).not.toHaveProperty('BERBIX_ALLOW_INSECURE');
    expect(output).toContain(`  curl --cacert ${BERBIX_EXTRA_CA_FILE} -u '`);
    const [, local = ''] = /^ {2}API \(HTTP\) {4}(http:\/\/127\.0\.0\.1:\d+)$/m.exec(output) ?? [];
    expect((await fetch(`${local}/sandbox/requests`)).status).toBe(200);
  });

  it('quotes the path of the CA file for a shell if necessary', async () => {
    const temporary = temporaryDirectory("it's a $HOME ");
    const { output } = await runs.startHere(['--tls'], { TMPDIR: temporary });
    const [, path = ''] = /^ {2}CA file +(.+)$/m.exec(output) ?? [];
    const [line = ''] = /BERBIX_EXTRA_CA_FILE=.+/.exec(output) ?? [];
    expect(path).toContain(temporary);
    expect(
      execFileSync('sh', ['-c', `${line}; echo "$BERBIX_EXTRA_CA_FILE"`], { encoding: 'utf8' }),
    ).toBe(`${path}\n`);
  });

  it('contains no URL that does not work', async () => {
    const { output } = await runs.startHere([]);
    expect(output).toMatch(/^ {2}webhooks {6}not sent: see --webhook-finished URL and/m);
    const urls = [...output.matchAll(/http:\/\/\S+/g)].map(([url]) => url);
    expect(urls.length).toBeGreaterThan(3);
    for (const url of urls.filter((one) => !one.includes('/v0/'))) {
      expect([url, (await fetch(url)).status]).toEqual([url, 200]);
    }
  });
});

describe('the secrets of nestjs-berbix sandbox', () => {
  it('stay the same after a restart, unless a flag says otherwise', async () => {
    const first = await ready();
    expect(await ready()).toEqual(first);
    const apart = await ready(['--api-secret', 'secret_test_y']);
    expect(apart.secrets).toEqual({
      ...first.secrets,
      apiSecret: 'secret_test_y',
      templateKeys: apart.secrets.templateKeys,
    });
    const given = ['--api-secret', 'secret_test_x', '--webhook-status-secret', 'whs_x'];
    const next = await ready(['--new-secrets', ...given]);
    expect(next.secrets).toMatchObject({
      apiSecret: 'secret_test_x',
      webhookSecrets: { status: 'whs_x' },
    });
    expect(next.secrets.liveApiSecret).not.toBe(first.secrets.liveApiSecret);
    const { finished } = next.secrets.webhookSecrets ?? {};
    expect(finished).not.toBe(first.secrets.webhookSecrets?.finished);
  });

  it('are those of the data directory, until new ones are requested', async () => {
    const data = ['--data', await databaseDirectory()];
    const first = await ready(data);
    expect(await ready(data)).toEqual(first);
    expect((await ready()).secrets.apiSecret).not.toBe(first.secrets.apiSecret);
    const renewed = await ready([...data, '--new-secrets']);
    expect(renewed.secrets.apiSecret).not.toBe(first.secrets.apiSecret);
    expect(await ready(data)).toEqual(renewed);
  });

  it('are new at each start if they cannot be stored, and a warning says so', async () => {
    const { stderr } = await ready([], { XDG_STATE_HOME: '/dev/null', LOCALAPPDATA: '/dev/null' });
    expect(stderr).toMatch(
      /^The secrets cannot be kept in .+ \(ENOTDIR\); the next start will have new ones\.\n$/,
    );
  });
});

describe('a line', () => {
  const request = {
    id: '1',
    url: '',
    headers: {},
    body: '',
    receivedAt: new Date(),
    durationMs: 7,
    notes: [],
    fault: undefined,
    response: undefined,
  };

  it.each([
    ['/v0/images/upload', 200, '/v0/images/upload 200'],
    ['/v0/tokens/', undefined, '/v0/tokens/ no answer'],
    ['/eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 404, '/*** 404'],
    ['/secret_test_kHmZ81PsVw/v2', 404, '/***/v2 404'],
    ['/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 404, '/*** 404'],
    ['/%1B%5B2J', 404, '/*** 404'],
    ['/a-path_of_twenty-four-xy', 404, '/a-path_of_twenty-four-xy 404'],
    ['/a-path-of-twenty-five-xyz', 404, '/*** 404'],
    ['/v10/v1', 404, '/***/v1 404'],
    ['/Token/tokens.', 404, '/***/*** 404'],
  ])('shows no part of %s that may be secret', (path, status, shown) => {
    expect(requestLine({ method: 'GET', path, status, ...request })).toBe(`GET ${shown} 7 ms`);
  });

  it('says how a webhook was answered', () => {
    const url = 'https://user:pw@hooks.test/a/b1?c=d';
    const line = failedAttemptLine({
      kind: 'status',
      url,
      status: 500,
      problem: undefined,
      attempts: 5,
    });
    expect(line).toBe('webhook status to https://hooks.test/a/*** failed: 500 (attempt 5 of 5)');
  });
});
