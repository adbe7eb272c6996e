import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { BerbixSandboxReady } from 'nestjs-berbix/sandbox';
import { sandboxCommand } from '../../lib/cli/sandbox.command.js';
import { runCommand } from '../cli/support/run-command.js';
import { databaseDirectory, temporaryDirectory } from '../support/directories.js';
import { listening } from '../support/services.js';
import { until } from '../support/until.js';
import { CommandRuns, MAIN, ROOT } from './support/cli-run.js';
import { HookServer } from './support/hook-server.js';
import { basic, readAll } from './support/raw-client.js';

const runs = new CommandRuns();

const finish = (...args: string[]) => runs.finish(...args);
const start = (...args: string[]) => runs.start(args);

describe('nestjs-berbix', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const result = await finish('--version');
    expect(result).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
  });
});

const JSON_RUN =
  'sandbox --tls --json --token-ttl 60 --refresh-token echo --api-secret secret_test_cli'.split(
    ' ',
  );

describe('nestjs-berbix sandbox', () => {
  it('prints one line of JSON, and ends with SIGINT', async () => {
    const { child, output, stdout, stderr, code } = await start(...JSON_RUN);
    expect(output).toMatch(/^\{.*\}\n$/);
    const ready = JSON.parse(output) as BerbixSandboxReady;
    expect(Object.keys(ready)).toEqual([
      'url',
      'tlsUrl',
      'ca',
      'apiSecret',
      'liveApiSecret',
      'templateKeys',
      'webhookSecrets',
    ]);
    expect(ready.apiSecret).toBe('secret_test_cli');
    const call = request(`${ready.tlsUrl}/v0/transactions`, {
      method: 'POST',
      agent: new Agent({ ca: readFileSync(ready.ca ?? '') }),
      headers: { authorization: basic(ready.apiSecret) },
    });
    call.end(JSON.stringify({ customer_uid: 'a', template_key: ready.templateKeys.sdk }));
    const [response] = await once(call, 'response');
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(await readAll(response))).toMatchObject({ expires_in: 60 });
    child.kill('SIGINT');
    await expect(code).resolves.toBe(0);
    // What happens is on standard error.
    await expect(stdout).resolves.toBe(output);
    await expect(stderr).resolves.toMatch(/^POST \/v0\/transactions 200 \d+ ms\n$/);
    expect(existsSync(ready.ca ?? '')).toBe(false);
  });

  it('prints a line that can be pasted, and ends with SIGTERM while a webhook waits', async () => {
    const nobody = ['--webhook-finished', 'http://127.0.0.1:9/'];
    const { child, output, stdout, stderr, code } = await start(
      'sandbox',
      '--port',
      '0',
      '--quiet',
      ...nobody,
    );
    expect(output).toMatch(/^The Berbix sandbox is ready/);
    expect(output).toMatch(/ {2}browser page {2}http:.+\/verify \(/);
    expect(output).toMatch(
      /^ {2}API \(HTTP\) {4}(http:\/\/\S+)\n {2}console {7}\1\/ \(in a browser\)$/m,
    );
    const [, command = ''] = /^ {2}(curl .+)$/m.exec(output) ?? [];
    const { stdout: answer } = await promisify(execFile)('sh', ['-c', `${command} -s`]);
    const created = JSON.parse(answer) as { transaction_id: number; access_token: string };
    expect(created.transaction_id).toEqual(expect.any(Number));
    const url = /http:\S+/.exec(output)?.[0];
    const requests = await fetch(`${url}/sandbox/requests`);
    expect(await requests.json()).toMatchObject({ requests: [{ status: 200, notes: [] }] });
    const override = await fetch(`${url}/v0/transactions/override`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${created.access_token}` },
      body: '{"response_payload":"us-dl"}',
    });
    expect(override.status).toBe(204);
    await until(async () => {
      const list = await fetch(`${url}/sandbox/webhooks/deliveries`);
      return (await list.text()).includes('ECONNREFUSED');
    });
    child.kill('SIGTERM');
    await expect(code).resolves.toBe(0);
    await expect(stdout).resolves.toBe(output);
    await expect(stderr).resolves.toBe('');
  });

  it.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535.'],
    [['--port', ''], '--port must be a whole number from 0 to 65535.'],
    [['--port', '70000'], '--port must be a whole number from 0 to 65535.'],
    [['--host', 'berbix'], '--host must be an IP address, such as 0.0.0.0 in a container.'],
    [['--public-url', 'http://x/y'], '--public-url must be a URL of http or https without a path'],
    [['--tls-port', '-1'], "Option '--tls-port' argument is ambiguous."],
    [['--token-ttl', '0'], '--token-ttl must be a whole number from 1 to 315360000.'],
    [['--rotation-grace', '1.5'], '--rotation-grace must be a whole number from 0 to 315360000.'],
    [['--refresh-token', 'x'], "--refresh-token must be 'omit', 'echo' or 'rotate'."],
    [['--api-secret', 'x'], '--api-secret must begin with secret_test_'],
    [['--live-api-secret', 'x'], '--live-api-secret must begin with secret_live_'],
    [['--webhook-finished', 'x'], '--webhook-finished must be a URL that begins with http://'],
    [['--webhook-status', 'x'], '--webhook-status must be a URL that begins with http://'],
    [
      ['--webhook-status-secret', ''],
      '--webhook-status-secret must be one or more letters, digits',
    ],
    [['--data', ''], '--data must be the path of a directory.'],
    [
      ['--api-only-document', 'x'],
      "--api-only-document must be 'photo', 'barcode' or 'barcode-or-photo'.",
    ],
    [['--api-only-selfie', 'x'], "--api-only-selfie must be 'none', 'basic' or 'liveness'."],
    [['--retention-days', '0'], '--retention-days must be a whole number from 1 to 3650.'],
    [['--test-completion-limit', 'x'], '--test-completion-limit must be a whole number from 1 to'],
    [['--action-map', '/nowhere'], '--action-map is /nowhere, which cannot be read (ENOENT).'],
    [['--action-map', MAIN], `--action-map is ${MAIN}, which cannot be read (it is not JSON).`],
    [['--action-map', join(ROOT, 'package.json')], '--action-map must be an object of flags and'],
    [['--prot', '1'], "Unknown option '--prot'."],
    [['stray'], 'Unexpected argument.'],
    [['--port'], "Option '--port <value>' argument missing."],
  ])('refuses %j', async (args, sentence) => {
    const { stdout, stderr, code } = await runCommand(sandboxCommand, args);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr.startsWith(sentence)).toBe(true);
    expect(stderr.endsWith('\nSee npx nestjs-berbix sandbox --help\n')).toBe(true);
  });

  it('exits with 2 if it refuses a flag', async () => {
    const refused = await finish('sandbox', '--port', 'x');
    expect(refused).toEqual(await runCommand(sandboxCommand, ['--port', 'x']));
  });

  it('shows its usage', async () => {
    const { stdout, code } = await runCommand(sandboxCommand, ['--help']);
    expect(stdout).toMatch(/^Usage: nestjs-berbix sandbox \[options\]/);
    expect(code).toBe(0);
  });

  it('sends webhooks where it is told to', async () => {
    const server = await HookServer.start();
    const hook = ['--webhook-finished', server.url, '--webhook-finished-secret', 'whs_cli'];
    const { output } = await runs.startHere(['--json', ...hook]);
    const ready = JSON.parse(output) as BerbixSandboxReady;
    expect(ready.webhookSecrets).toEqual({
      finished: 'whs_cli',
      status: expect.stringMatching(/^whs_test_/),
    });
    const body = JSON.stringify({ kind: 'finished' });
    const answer = await fetch(`${ready.url}/sandbox/webhooks/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await answer.json()).toMatchObject({ kind: 'finished' });
    await until(() => server.hooks.length === 1);
    await server.close();
  });

  it('has a flag for each setting of an account', async () => {
    const map = join(temporaryDirectory(), 'actions.json');
    writeFileSync(map, '{"id_expired":"block"}');
    const flags =
      '--large-ids --images --retention-days 7 --test-completion-limit 1 --action-map'.split(' ');
    const apiOnly = ['--api-only-document', 'barcode', '--api-only-selfie', 'basic'];
    const { output } = await runs.startHere(['--json', ...flags, map, ...apiOnly]);
    const { url, apiSecret, templateKeys } = JSON.parse(output) as BerbixSandboxReady;
    const create = () =>
      call('POST', '/v0/transactions', basic(apiSecret), {
        customer_uid: 'a',
        template_key: templateKeys.apiOnly,
        api_only_options: {},
      });
    const call = async (method: string, path: string, authorization: string, body: object) => {
      const init = { method, headers: { authorization }, body: JSON.stringify(body) };
      return fetch(url + path, init);
    };
    const created = await (await create()).text();
    const { first_step, client_token, access_token, refresh_token } = JSON.parse(created) as Record<
      string,
      string
    >;
    expect(BigInt(/"transaction_id":(\d+)/.exec(created)?.[1] ?? 0)).toBeGreaterThan(2n ** 53n);
    expect(first_step).toBe('upload_document_barcode');
    const bearer = `Bearer ${client_token}`;
    const flagged = Buffer.from('flag:id_expired').toString('base64');
    const scan = { id_scans: [{ scan_type: 'pdf417', extracted_data: flagged }] };
    const scanned = await call('POST', '/v0/idscans/upload', bearer, scan);
    expect(await scanned.json()).toMatchObject({ next_step: 'upload_selfie_basic' });
    const selfie = { images: [{ image_subject: 'selfie_front', data: flagged }] };
    const uploaded = await call('POST', '/v0/images/upload', bearer, selfie);
    expect(await uploaded.json()).toMatchObject({ next_step: 'done' });
    const result = await fetch(`${url}/v0/transactions`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(await result.json()).toMatchObject({
      action: 'block',
      images: { front: {} },
    });
    expect((await create()).status).toBe(429);
    await fetch(`${url}/sandbox/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"advance_ms":604800000}',
    });
    const late = await call('POST', '/v0/tokens', basic(apiSecret), { refresh_token });
    expect(late.status).toBe(410);
  });

  it('continues with its data after it was killed', async () => {
    const directory = await databaseDirectory();
    const args = ['sandbox', '--json', '--data', directory, '--webhook-finished'];
    const nobody = 'http://127.0.0.1:9/';
    const first = await start(...args, nobody);
    const ready = JSON.parse(first.output) as BerbixSandboxReady;
    const call = (url: string, path: string, body: object) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: basic(ready.apiSecret) },
        body: JSON.stringify(body),
      });
    const creation = { customer_uid: 'a', template_key: ready.templateKeys.sdk };
    const created = await call(ready.url, '/v0/transactions', creation);
    const { refresh_token } = (await created.json()) as Record<string, unknown>;
    const test = fetch(`${ready.url}/sandbox/webhooks/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"finished"}',
    });
    test.catch(() => undefined);
    await until(async () => {
      const list = await fetch(`${ready.url}/sandbox/webhooks/deliveries`);
      return (await list.text()).includes('ECONNREFUSED');
    });
    const inUse = await runCommand(sandboxCommand, [...args.slice(1), nobody]);
    expect(inUse).toEqual({
      stdout: '',
      stderr: expect.stringMatching(
        `^--data is ${directory}, which process ${first.child.pid} uses; .+\\.\n$`,
      ),
      code: 1,
    });
    first.child.kill('SIGKILL');
    await first.code;
    const server = await HookServer.start();
    const second = await runs.startHere([...args.slice(1), server.url]);
    const { url, ...again } = JSON.parse(second.output) as BerbixSandboxReady;
    expect({ ...again, url: ready.url }).toEqual(ready);
    const refreshed = await call(url, '/v0/tokens', { refresh_token });
    expect(refreshed.status).toBe(200);
    // What waited for its next attempt comes as well.
    await until(() => server.hooks.length === 1);
    expect(server.hooks[0]?.body).toContain('"customer_uid":"unique-uid"');
    await server.close();
  });

  it('says why it cannot start', async () => {
    const { port } = new URL(await listening(createServer()));
    const { stdout, stderr, code } = await runCommand(sandboxCommand, ['--port', port]);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: `--port is ${port}, which is in use; choose another, or 0 for a free one.\n`,
      code: 1,
    });
    const nowhere = { XDG_STATE_HOME: '/dev/null', LOCALAPPDATA: '/dev/null' };
    const both = await runCommand(sandboxCommand, ['--port', port], nowhere);
    expect(both.stderr).toMatch(/^The secrets cannot be kept .+\n--port is .+\n$/);
  });

  it('leaves another signal, and one after a failed start, to what they usually do', async () => {
    const listeners = () =>
      (['SIGINT', 'SIGTERM'] as const).map((signal) => process.listenerCount(signal));
    const before = listeners();
    const { end } = await runs.startHere(['--json']);
    expect(listeners()).toEqual(before.map((count) => count + 1));
    const ended = end();
    await until(() => listeners().join() === before.join());
    expect((await ended).code).toBe(0);
    const { code } = await runCommand(sandboxCommand, ['--host', '192.0.2.1']);
    expect([code, listeners()]).toEqual([1, before]);
  });
});
