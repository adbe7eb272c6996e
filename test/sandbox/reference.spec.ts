import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RequestMethod } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { LazyApplication } from '../../lib/sandbox/reference/lazy-application.js';
import { loadReferencePage } from '../../lib/sandbox/reference/reference-page.js';
import { createReferenceDocument } from '../../lib/sandbox/reference/reference-document.js';
import { PLACEHOLDERS } from '../../lib/sandbox/reference/reference-values.js';
import { SandboxModule } from '../../lib/sandbox/sandbox.module.js';
import { PLATFORMS, Sandboxes } from './support/platforms.js';
import { type Answer, RawClient } from './support/raw-client.js';
import {
  examplesOf,
  liveClient,
  optionsFor,
  Reader,
  refusalsOf,
  routesOf,
  successOf,
} from './support/reference.js';

const sandboxes = new Sandboxes();
afterEach(() => sandboxes.closeAll());

const DOCUMENT = createReferenceDocument(PLACEHOLDERS);
const OPERATIONS = routesOf(DOCUMENT).map(({ operation }) => operation);

const EXAMPLES = OPERATIONS.flatMap((operation) =>
  examplesOf(operation).map(([name]) => [operation.operationId, name] as const),
);
const REFUSALS = OPERATIONS.flatMap((operation) =>
  refusalsOf(operation).map(([status, name]) => [operation.operationId, status, name] as const),
);

/** What has to be done before the first example works. */
const PREPARATIONS: Record<string, (reader: Reader) => Promise<Answer>> = {
  updateTransaction: (reader) => reader.send('overrideTransaction'),
  'uploadImages back': (reader) =>
    reader.client.send('POST', '/v0/images/upload', {
      authorization: `Bearer ${reader.created.client_token}`,
      body: Object.fromEntries(examplesOf(operationOf('uploadImages'))).front,
    }),
};

/** How to get each refusal. */
const PROVOCATIONS: Record<string, (reader: Reader, operationId: string) => Promise<Answer>> = {
  '400 invalid_request': (reader, id) => reader.send(id, { body: [] }),
  '400 unsupported_grant_type': (reader, id) =>
    reader.send(id, { body: { refresh_token: 'rt_', grant_type: 'password' } }),
  '401 invalid_api_secret': (reader, id) => reader.send(id, { credential: 'secret_test_wrong' }),
  '401 invalid_access_token': (reader, id) => reader.send(id, { credential: 'at_wrong' }),
  '401 invalid_client_token': (reader, id) => reader.send(id, { credential: 'a.b.c' }),
  '401 invalid_refresh_token': (reader, id) =>
    reader.send(id, { body: { refresh_token: 'rt_wrong' } }),
  '403 wrong_token_kind': (reader, id) =>
    reader.send(id, { credential: reader.created.refresh_token }),
  '403 not_allowed': async (reader, id) => {
    const { sandbox } = reader.client;
    const client = id === 'overrideTransaction' ? liveClient(sandbox) : reader.client;
    const { json } = await client.create();
    const credential = id === 'overrideTransaction' ? json.access_token : json.client_token;
    return reader.send(id, { credential });
  },
  '409 wrong_state': async (reader, id) => {
    if (id === 'overrideTransaction') await reader.send(id);
    return reader.send(id);
  },
  '409 conflict': async (reader, id) => {
    const body = { images: [{ image_subject: 'selfie_front', data: 'QQ==' }] };
    return reader.send(id, id === 'uploadImages' ? { body } : {});
  },
  '410 transaction_gone': async (reader, id) => {
    await reader.client.delete(reader.created.access_token);
    const body = { refresh_token: reader.created.refresh_token };
    return reader.send(id, id === 'refreshTokens' ? { body } : {});
  },
  '413 payload_too_large': (reader, id) =>
    reader.send(id, { body: ' '.repeat(20 * 1024 * 1024 + 1) }),
  '429 rate_limited': async (reader, id) => {
    await reader.send('overrideTransaction');
    return reader.send(id);
  },
};

function operationOf(operationId: string) {
  const operation = OPERATIONS.find((candidate) => candidate.operationId === operationId);
  if (!operation) throw new Error(operationId);
  return operation;
}

describe.each(PLATFORMS)('/reference on %s', (platform) => {
  const lasting = new Sandboxes();
  const byOptions = new Map<string, Promise<BerbixSandbox>>();
  afterAll(() => lasting.closeAll());

  /** One for all tests with these options: each has a transaction of its own. */
  function sandboxWith(options: BerbixSandboxOptions): Promise<BerbixSandbox> {
    const key = JSON.stringify(options);
    const sandbox = byOptions.get(key) ?? lasting.start(platform, options);
    byOptions.set(key, sandbox);
    return sandbox;
  }

  it('has the template keys of this sandbox, on http and https', async () => {
    const sandbox = await sandboxes.start(platform, { tls: true });
    for (const client of [new RawClient(sandbox), new RawClient(sandbox, '', true)]) {
      const { status, headers, text } = await client.send('GET', '/reference/openapi.json');
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      for (const key of Object.values(sandbox.templateKeys)) expect(text).toContain(key);
      expect(text).not.toContain(sandbox.apiSecret);
      expect(text).toContain('"servers":[{"url":"/"');
    }
  });

  it('shows a page, or what to install for it', async () => {
    const client = new RawClient(await sandboxes.start(platform));
    const { status, headers, text } = await client.send('GET', '/reference');
    if (status === 501) {
      // Swagger UI on Fastify needs one more package.
      expect([platform, headers['content-type']]).toEqual(['fastify', 'text/plain; charset=utf-8']);
      expect(text).toContain('npm install --save-dev @fastify/static@^');
      return;
    }
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(text).toContain('./reference/swagger-ui-init.js');
    const script = await client.send('GET', '/reference/swagger-ui-init.js');
    expect(script.text).toContain('"swaggerUrl": "/reference/openapi.json"');
    expect(script.text).toContain("preauthorizeApiKey('accessToken'");
    expect((await client.send('GET', '/reference/swagger-ui-bundle.js')).status).toBe(200);
  });

  it('is neither recorded nor faulted, and nothing else is below it', async () => {
    const sandbox = await sandboxes.start(platform);
    sandbox.faults.add({ kind: 'hang', times: Infinity });
    const client = new RawClient(sandbox);
    expect((await client.send('GET', '/reference/openapi.json?x=1')).status).toBe(200);
    const nothing = await client.send('GET', '/reference/nothing');
    expect(nothing.json).toMatchObject({ code: 404, readable: 'not_found' });
    expect(sandbox.requests.length).toBe(0);
    sandbox.faults.clear();
    for (const path of ['/references', '/reference/..', '/reference/%00', '/reference/a/b']) {
      expect((await client.send('GET', path)).status).toBe(404);
    }
    expect(sandbox.requests.length).toBe(4);
  });

  it('has a refresh token that works, also when it was rotated or its transaction deleted', async () => {
    const client = new RawClient(await sandboxes.start(platform, { refreshToken: 'rotate' }));
    for (const end of ['rotated', 'rotated', 'deleted', 'deleted']) {
      const reader = await Reader.open(client, 'refreshTokens');
      const { status, json } = await reader.send('refreshTokens');
      expect(status).toBe(200);
      if (end === 'deleted') await client.delete(json.access_token);
    }
  });

  it.each(EXAMPLES)('takes the example for %s: %s', async (id, name) => {
    const reader = await Reader.open(new RawClient(await sandboxWith(optionsFor(id))), id);
    await (PREPARATIONS[`${id} ${name}`] ?? PREPARATIONS[id])?.(reader);
    const { operation } = routesOf(reader.document).find(
      (route) => route.operation.operationId === id,
    ) ?? { operation: operationOf(id) };
    const answer = await reader.send(id, { body: Object.fromEntries(examplesOf(operation))[name] });
    expect(reader.complaints(id, answer)).toEqual([]);
    expect(answer.status).toBe(successOf(operation));
  });

  it.each(REFUSALS)('has %s refuse with %d %s', async (id, status, name) => {
    const options = name === 'rate_limited' ? { testCompletionLimit: 1 } : {};
    const reader = await Reader.open(new RawClient(await sandboxWith(options)), id);
    const answer = await PROVOCATIONS[`${status} ${name}`]?.(reader, id);
    if (!answer) throw new Error('Nobody knows how to get this refusal.');
    expect(answer.status).toBe(status);
    expect(reader.complaints(id, answer)).toEqual([]);
    if (name !== 'conflict') expect(answer.json).toMatchObject({ code: status, readable: name });
  });
});

describe('the document', () => {
  it('has the routes that there are', () => {
    const documented = routesOf(DOCUMENT).map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(apiRoutes().toSorted());
  });

  it('has what it refers to, and a name for each operation', () => {
    const names = [...JSON.stringify(DOCUMENT).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(new Set(names.map((match) => match[1]))).toEqual(
      new Set(Object.keys(DOCUMENT.components.schemas)),
    );
    expect(new Set(OPERATIONS.map(({ operationId }) => operationId)).size).toBe(OPERATIONS.length);
    for (const { security, tags } of OPERATIONS) {
      expect(Object.keys(DOCUMENT.components.securitySchemes)).toEqual(
        expect.arrayContaining(Object.keys(security[0] ?? {})),
      );
      expect(DOCUMENT.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(tags));
    }
  });
});

describe('the page without its packages', () => {
  it.each([
    ['express', ['@nestjs/swagger'], 'npm install --save-dev @nestjs/swagger@^'],
    ['fastify', ['@fastify/static'], 'npm install --save-dev @fastify/static@^'],
    ['fastify', ['@fastify/static', '@nestjs/swagger'], 'npm install --save-dev @nestjs/swagger@^'],
  ] as const)('says on %s without %j what to install', async (platform, missing, advice) => {
    const page = await loadReferencePage(platform, async (name) => {
      if (!missing.some((one) => one === name)) return;
      const error = new Error(`Cannot find package '${name}' imported from here`);
      throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const module = await Test.createTestingModule({}).compile();
    const application = module.createNestApplication({ logger: false });
    page(application);
    await application.listen(0, '127.0.0.1');
    const answer = await fetch(`${await application.getUrl()}/reference`);
    expect(answer.status).toBe(501);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    await expect(answer.text()).resolves.toContain(advice);
    await application.close();
  });

  it('does not hide a package that is broken', async () => {
    const broken = loadReferencePage('express', async () => {
      throw new Error('broken');
    });
    await expect(broken).rejects.toThrow('broken');
  });
});

describe('an application that starts when it is asked for', () => {
  it('says why it cannot start, and tries again', async () => {
    const starts = [
      async () => Promise.reject(new Error('no disk')),
      async () => ({
        listener: (_: IncomingMessage, response: ServerResponse) => void response.end('here'),
        close: async () => undefined,
      }),
    ];
    const application = new LazyApplication(async () => {
      const start = starts.shift();
      if (!start) throw new Error('It was started once too often.');
      return start();
    });
    const server = createServer(application.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = async () => fetch(`http://127.0.0.1:${port}`);
    const failed = await ask();
    await expect(failed.json()).resolves.toEqual({
      code: 500,
      readable: 'internal_error',
      message: 'This part cannot start: no disk',
    });
    for (const round of [1, 2])
      expect([round, await (await ask()).text()]).toEqual([round, 'here']);
    await application.close();
    server.closeAllConnections();
    server.close();
  });
});

/** Those of the controllers of the running application that are a part of the API. */
function apiRoutes(): string[] {
  const controllers = Reflect.getMetadata('controllers', SandboxModule) as {
    prototype: Record<string, object>;
  }[];
  return controllers
    .flatMap((controller) => {
      const root = String(Reflect.getMetadata('path', controller));
      return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
        const handler = controller.prototype[name] ?? {};
        const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
        const paths = [Reflect.getMetadata('path', handler)].flat().map(String);
        // Browsers ask with OPTIONS by themselves.
        if (method === undefined || method === RequestMethod.OPTIONS) return [];
        return paths.map((path) => `${RequestMethod[method]} ${join(root, path)}`);
      });
    })
    .filter((route) => route.includes(' /v0/'));
}

function join(root: string, path: string): string {
  return `/${[root, path].join('/').split('/').filter(Boolean).join('/')}`;
}
