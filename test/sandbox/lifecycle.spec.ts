import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { loadPlatform } from '../../lib/sandbox/http/application.js';
import { closeAfterTest } from '../support/closing.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { PLATFORMS } from '../support/platforms.js';
import { failureOf, RawClient } from './support/raw-client.js';

/** An import that fails as node lets it fail. */
function missing(name: string) {
  const error = new Error(`Cannot find package '${name}' imported from x`);
  return () => Promise.reject(Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' }));
}

describe.each(PLATFORMS)('BerbixSandbox on %s', (platform) => {
  it('says how to reach it', async () => {
    const sandbox = await startSandboxOn(platform);
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(sandbox.tlsUrl).toBeUndefined();
    expect(sandbox.ca).toBeUndefined();
    expect(sandbox.apiSecret).toMatch(/^secret_test_[A-Za-z0-9]{32}$/);
    expect(sandbox.liveApiSecret).toMatch(/^secret_live_[A-Za-z0-9]{32}$/);
    const keys = Object.values(sandbox.templateKeys);
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(key).toMatch(/^tpk_[A-Za-z0-9]{32}$/);
    expect(Object.keys(sandbox.ready())).toEqual([
      'url',
      'apiSecret',
      'liveApiSecret',
      'templateKeys',
      'webhookSecrets',
    ]);
  });

  it('keeps two sandboxes apart', async () => {
    const [one, other] = await Promise.all([startSandboxOn(platform), startSandboxOn(platform)]);
    expect(one.url).not.toBe(other.url);
    const created = await new RawClient(one).create();
    const answer = await new RawClient(other).refresh(created.json.refresh_token);
    expect(answer.json).toMatchObject({ code: 401, readable: 'invalid_refresh_token' });
    one.faults.add({ kind: 'html' });
    expect((await new RawClient(other).create()).status).toBe(200);
    expect(one.requests.length).toBe(1);
  });

  it('closes once, and ends calls that wait for an answer', async () => {
    const sandbox = await startSandboxOn(platform);
    sandbox.faults.add({ kind: 'hang' });
    sandbox.faults.add({ kind: 'latency', ms: 3_600_000 });
    sandbox.faults.add({ kind: 'trickle', ms: 3_600_000 });
    sandbox.faults.add({ kind: 'flood', bytes: 1e13 });
    const client = new RawClient(sandbox);
    const failures = [];
    for (let calls = 1; calls <= 4; calls += 1) {
      failures.push(failureOf(client.open('GET', '/v0/transactions')));
      await until(() => sandbox.requests.length === calls);
    }
    const closing = sandbox.close();
    expect(sandbox.close()).toBe(closing);
    await closing;
    await expect(Promise.all(failures)).resolves.not.toContain('an answer');
    await expect(failureOf(client.open('GET', '/'))).resolves.toMatch('ECONNREFUSED');
  });

  it('can be disposed of', async () => {
    const sandbox = await startSandboxOn(platform);
    await sandbox[Symbol.asyncDispose]();
    const call = new RawClient(sandbox).open('GET', '/');
    await expect(failureOf(call)).resolves.toMatch('ECONNREFUSED');
  });

  it('uses the given secrets', async () => {
    const options = { apiSecret: 'secret_test_mine', liveApiSecret: 'secret_live_mine' };
    const sandbox = await startSandboxOn(platform, options);
    expect(sandbox.ready()).toMatchObject(options);
    expect((await new RawClient(sandbox, 'secret_test_mine').create()).status).toBe(200);
  });
});

describe('BerbixSandbox.start', () => {
  it('has the same template keys for the same secret', async () => {
    const options = { apiSecret: 'secret_test_fixed' };
    const one = await startSandbox(options);
    const other = await startSandbox(options);
    const stranger = await startSandbox();
    expect(one.templateKeys).toEqual(other.templateKeys);
    expect(one.templateKeys).not.toEqual(stranger.templateKeys);
  });

  it.each(['port', 'tlsPort'] as const)('says when the %s is in use', async (option) => {
    const temporary = temporaryDirectory();
    closeAfterTest(changeEnvironment({ TMPDIR: temporary }));
    const taken = createServer().listen(0, '127.0.0.1');
    await until(() => taken.listening);
    const { port } = taken.address() as AddressInfo;
    const start = BerbixSandbox.start({ tls: true, [option]: port });
    await expect(start).rejects.toThrow(
      `The sandbox option "${option}" is ${port}, which is in use; choose another, or 0 for a free one.`,
    );
    taken.close();
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('leaves no port open if another one is in use', async () => {
    const { url } = await startSandbox();
    const free = createServer().listen(0, '127.0.0.1');
    await until(() => free.listening);
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const tlsPort = Number(new URL(url).port);
    await expect(BerbixSandbox.start({ port, tls: true, tlsPort })).rejects.toThrow('is in use');
    await startSandbox({ port });
  });

  it.each([
    [{ port: -1 }, /"port" must be a whole number from 0 to 65535/],
    [{ port: 1.5 }, /"port" must be a whole number/],
    [{ actionMap: { 'id expired': 'reject' } }, /"actionMap" must be an object of flags/],
    [{ tlsPort: 65_536 }, /"tlsPort" must be a whole number from 0 to 65535/],
    [{ tokenTtlSeconds: 0 }, /"tokenTtlSeconds" must be a whole number from 1/],
    [{ tokenTtlSeconds: NaN }, /"tokenTtlSeconds" must be a whole number/],
    [{ rotationGraceSeconds: -1 }, /"rotationGraceSeconds" must be a whole number from 0/],
    [{ retentionDays: 0 }, /"retentionDays" must be a whole number from 1 to 3650/],
    [{ testCompletionLimit: 0 }, /"testCompletionLimit" must be a whole number from 1/],
    [{ testCompletionLimit: 1.5 }, /"testCompletionLimit" must be a whole number from 1/],
    [{ apiOnlyDocument: 'scan' }, /must be 'photo', 'barcode' or 'barcode-or-photo'/],
    [{ apiOnlySelfie: true }, /"apiOnlySelfie" must be 'none', 'basic' or 'liveness'/],
    [{ actionMap: [] }, /"actionMap" must be an object of flags and actions/],
    [{ actionMap: 'accept' }, /"actionMap" must be an object/],
    [{ actionMap: { 'ID Expired': 'reject' } }, /"actionMap" must be an object/],
    [{ actionMap: { id_expired: '' } }, /"actionMap" must be an object/],
    [{ actionMap: { '': 'reject' } }, /"actionMap" must be an object/],
    [{ actionMap: { id_expired: 5 } }, /"actionMap" must be an object/],
    [{ refreshToken: 'keep' }, /"refreshToken" must be 'omit', 'echo' or 'rotate'/],
    [{ tls: 'yes' }, /"tls" must be true or false/],
    [{ largeIds: 1 }, /"largeIds" must be true or false/],
    [{ images: 1 }, /"images" must be true or false/],
    [{ apiSecret: 'secret_live_x' }, /"apiSecret" must begin with secret_test_/],
    [{ apiSecret: 'secret_test_a:b' }, /"apiSecret" must .* consist of letters, digits or any of/],
    [
      { apiSecret: "secret_test_'; id; '" },
      /"apiSecret" must begin with secret_test_ and consist of/,
    ],
    [{ apiSecret: 'secret_test_a#b' }, /"apiSecret" must begin with secret_test_ and consist of/],
    [{ liveApiSecret: 'secret_test_x' }, /"liveApiSecret" must begin with secret_live_/],
    [{ liveApiSecret: 'secret_live_$(id)' }, /"liveApiSecret" must begin with secret_live_ and/],
    [
      { webhooks: { status: { secret: 'a$b' } } },
      /"webhooks.status.secret" must be one or more letters/,
    ],
    [
      { webhooks: { finished: { secret: 'a,b' } } },
      /"webhooks.finished.secret" must be one or more letters/,
    ],
    [{ publicUrl: 'http://a$(id)b:4010' }, /"publicUrl" must be a URL of http or https/],
    [{ tokenTTL: 5 }, /"tokenTTL" is not known; the options of the sandbox are port, host, /],
  ])('refuses %j', async (options, message) => {
    const start = BerbixSandbox.start(options as BerbixSandboxOptions);
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toMatchObject({ name: 'SandboxOptionError' });
  });

  it('does not quote a secret that it refuses', async () => {
    const start = BerbixSandbox.start({ apiSecret: 'secret_live_real' });
    await expect(start).rejects.toThrow(expect.not.stringContaining('real') as never);
  });

  it('does not change the logger of the application', async () => {
    const lines: unknown[] = [];
    const logger = new ConsoleLogger();
    logger.log = (line: unknown) => lines.push(line);
    Logger.overrideLogger(logger);
    await Promise.all([startSandbox(), startSandboxOn('fastify')]);
    Logger.log('mine');
    expect(lines).toEqual(['mine']);
  });

  it('says what to install if there is no platform', async () => {
    const express = missing('@nestjs/platform-express');
    const fastify = missing('@nestjs/platform-fastify');
    await expect(loadPlatform({ express, fastify })).rejects.toThrow(
      'npm install --save-dev @nestjs/platform-express@^',
    );
    // A package that is there and broken is another matter.
    const broken = missing('fastify');
    await expect(loadPlatform({ express, fastify: broken })).rejects.toThrow("package 'fastify'");
  });
});
