import { describe, expect, it } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { isPagePath } from '../../lib/sandbox/http/paths.js';
import type { ResolvePackage } from '../../lib/sandbox/http/packages.js';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import { PLACEHOLDERS, type Schema, type ValueSchema } from '../../lib/sandbox/openapi/model.js';
import { pageAdvice, swaggerCommand } from '../../lib/sandbox/openapi/swagger-ui.js';
import { SandboxModule } from '../../lib/sandbox/sandbox.module.js';
import { closeAfterFile } from '../support/closing.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
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
    if (id === 'createTransaction') {
      const { sdk } = reader.client.sandbox.templateKeys;
      const consent = { consents_to_automated_facial_recognition: true };
      return reader.send(id, { body: { customer_uid: 'ada', template_key: sdk, ...consent } });
    }
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

/** What the sandbox needs for a refusal. */
const OPTIONS_FOR_REFUSALS: Record<string, BerbixSandboxOptions> = {
  'createTransaction rate_limited': { testCompletionLimit: 1 },
  'createTransaction not_allowed': { facialRecognition: false },
};

function operationOf(operationId: string) {
  const operation = OPERATIONS.find((candidate) => candidate.operationId === operationId);
  if (!operation) throw new Error(operationId);
  return operation;
}

describe.each(PLATFORMS)('/reference on %s', (platform) => {
  const byOptions = new Map<string, Promise<BerbixSandbox>>();

  /** One for all tests with these options: each has a transaction of its own. */
  function sandboxWith(options: BerbixSandboxOptions): Promise<BerbixSandbox> {
    const key = JSON.stringify(options);
    const sandbox = byOptions.get(key) ?? startSandboxOn(platform, options, closeAfterFile);
    byOptions.set(key, sandbox);
    return sandbox;
  }

  it('has the tokens of one transaction, however often it is read', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    const { text } = await client.send('GET', '/reference/openapi.json');
    expect((await client.send('GET', '/reference/openapi.json')).text).toBe(text);
    const [transaction, ...others] = await sandbox.transactions.list();
    expect([text.includes(`${transaction?.refreshToken}`), others]).toEqual([true, []]);
    // Who finds it in the list knows where it comes from.
    expect(transaction?.customerUid).toBe('reference-page');
  });

  it('has the template keys of this sandbox, on http and https', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    for (const client of [new RawClient(sandbox), new RawClient(sandbox, '', true)]) {
      const { status, headers, text } = await client.send('GET', '/reference/openapi.json');
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      for (const key of Object.values(sandbox.templateKeys)) expect(text).toContain(key);
      expect(text).not.toContain(sandbox.apiSecret);
      expect(text).toContain('"servers":[{"url":"/"');
    }
  });

  it('shows a page with everything that it loads', async () => {
    const client = new RawClient(await startSandboxOn(platform));
    for (const path of ['/reference', '/reference/']) {
      const { status, headers, text } = await client.send('GET', path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(text).toContain('"/reference/reference.js"');
    }
    const types: Record<string, string> = {
      'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
      'swagger-ui.css': 'text/css; charset=utf-8',
      'favicon-32x32.png': 'image/png',
      'reference.js': 'text/javascript; charset=utf-8',
      'reference.css': 'text/css; charset=utf-8',
    };
    for (const [name, type] of Object.entries(types)) {
      const { status, headers } = await client.send('GET', `/reference/${name}`);
      expect([name, status, headers['content-type']]).toEqual([name, 200, type]);
    }
    // A file of the same directory that the page does not load.
    expect((await client.send('GET', '/reference/package.json')).status).toBe(404);
  });

  it('is neither recorded nor affected by faults, and has no other path below it', async () => {
    const sandbox = await startSandboxOn(platform);
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
    const client = new RawClient(await startSandboxOn(platform, { refreshToken: 'rotate' }));
    for (const end of ['rotated', 'rotated', 'deleted', 'deleted']) {
      const reader = await Reader.open(client, 'refreshTokens');
      const { status, json } = await reader.send('refreshTokens');
      expect(status).toBe(200);
      if (end === 'deleted') await client.delete(json.access_token);
    }
  });

  it('has a placeholder for the refresh token when no more transactions can be created', async () => {
    const client = new RawClient(await startSandboxOn(platform, { testCompletionLimit: 1 }));
    const { access_token } = (await client.create()).json;
    await client.override(access_token, { response_payload: 'us-dl' });
    const { status, text } = await client.send('GET', '/reference/openapi.json');
    expect(status).toBe(200);
    expect(text).toContain(`"refresh_token":"${PLACEHOLDERS.refreshToken}"`);
  });

  it.each(EXAMPLES)('accepts the example for %s: %s', async (id, name) => {
    const reader = await Reader.open(new RawClient(await sandboxWith(optionsFor(id))), id);
    await (PREPARATIONS[`${id} ${name}`] ?? PREPARATIONS[id])?.(reader);
    const { operation } = routesOf(reader.document).find(
      (route) => route.operation.operationId === id,
    ) ?? { operation: operationOf(id) };
    const answer = await reader.send(id, { body: Object.fromEntries(examplesOf(operation))[name] });
    expect(reader.complaints(id, answer)).toEqual([]);
    expect(answer.status).toBe(successOf(operation));
    if (name === 'blurred') expect(answer.json.issues).toEqual(['text_unreadable']);
  });

  it.each(REFUSALS)('%s refuses with %d %s as documented', async (id, status, name) => {
    const options = OPTIONS_FOR_REFUSALS[`${id} ${name}`] ?? {};
    const reader = await Reader.open(new RawClient(await sandboxWith(options)), id);
    const answer = await PROVOCATIONS[`${status} ${name}`]?.(reader, id);
    if (!answer) throw new Error('Nobody knows how to get this refusal.');
    expect(answer.status).toBe(status);
    expect(reader.complaints(id, answer)).toEqual([]);
    if (name !== 'conflict') expect(answer.json).toMatchObject({ code: status, readable: name });
  });
});

describe('the document', () => {
  it('says what its refusals mean, and when to try again', () => {
    const { responses } = operationOf('createTransaction');
    expect(responses[401]?.headers).toEqual({
      'WWW-Authenticate': {
        description: 'The scheme for the credential: Basic or Bearer.',
        schema: { type: 'string' },
      },
    });
    expect(responses[429]?.headers).toEqual({
      'Retry-After': {
        description: 'When to try again, in seconds.',
        schema: { type: 'integer' },
      },
    });
    expect(operationOf('refreshTokens').responses[400]?.description).toBe(
      'The body is not a JSON object, or has no refresh_token.\n\nThe grant_type is not refresh_token.',
    );
  });

  it('has an example for each refusal, with its status, its word and what it means', () => {
    for (const { responses } of OPERATIONS) {
      for (const [status, { description, content }] of Object.entries(responses)) {
        const { schema, examples = {} } = content?.['application/json'] ?? {};
        if (JSON.stringify(schema) !== '{"$ref":"#/components/schemas/ApiErrorBody"}') continue;
        const reasons = Object.entries(examples).map(([readable, { summary, value }]) => {
          const { message, ...others } = value as { message: string };
          expect([summary, others]).toEqual([readable, { code: Number(status), readable }]);
          return message;
        });
        expect(reasons.join('\n\n')).toBe(description);
      }
    }
  });

  it('requires what every answer has', () => {
    const requiredBy = (schema: Schema | undefined): unknown =>
      schema && 'required' in schema ? schema.required : undefined;
    const { schemas } = DOCUMENT.components;
    const { CreationAnswer, TransactionField } = schemas as {
      CreationAnswer: { allOf: Schema[] };
      TransactionField: ValueSchema;
    };
    expect(requiredBy(CreationAnswer.allOf[1])).toEqual(['refresh_token']);
    expect(requiredBy(schemas.TransactionMetadata)).toEqual(['entity', 'id', 'customer_uid']);
    const { sources } = TransactionField.properties as { sources: ValueSchema };
    expect(requiredBy(sources.items)).toEqual(['value', 'type', 'confidence']);
  });

  it('names the words that are known where there may be others', () => {
    const { UpdateTransactionRequest, TokenAnswer, TransactionMetadata } = DOCUMENT.components
      .schemas as Record<string, ValueSchema>;
    expect(TransactionMetadata?.properties?.action).toMatchObject({
      description: 'Empty or null while unfinished. One of accept, reject, review, or another.',
    });
    expect(UpdateTransactionRequest?.properties?.action).toMatchObject({
      type: 'string',
      description: 'One of accept, reject, review, or another.',
    });
    expect(TokenAnswer?.properties?.expires_in).toMatchObject({
      description: 'Lifetime of access and client token, in seconds.',
      examples: [3_600],
    });
  });

  it('has exactly the routes that exist', () => {
    const documented = routesOf(DOCUMENT).map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(apiRoutes().toSorted());
  });

  it('has everything that it refers to, and a name for each operation', () => {
    const names = [...JSON.stringify(DOCUMENT).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(new Set(names.map((match) => match[1]))).toEqual(
      new Set(Object.keys(DOCUMENT.components.schemas)),
    );
    expect(new Set(OPERATIONS.map(({ operationId }) => operationId)).size).toBe(OPERATIONS.length);
    expect(DOCUMENT.tags.map(({ name }) => name)).toEqual([
      'Tokens',
      'Transactions',
      'Uploads',
      'Webhooks',
    ]);
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
    ['@nestjs/swagger', undefined],
    ['swagger-ui-dist/package.json', '/app/node_modules/@nestjs/swagger/dist/index.js'],
  ])('says what to install if %s is missing', (missing, swagger) => {
    const asked: [string, string | undefined][] = [];
    const resolve: ResolvePackage = (file, from) => {
      asked.push([file, from]);
      return file === missing ? undefined : swagger;
    };
    const command = swaggerCommand(resolve);
    expect(command).toMatch(/^npm install --save-dev @nestjs\/swagger@\^1[12]$/);
    expect(pageAdvice(resolve)).toContain(`Run ${command}, and restart the sandbox.`);
    // Swagger UI is resolved as @nestjs/swagger would, wherever the package manager puts it.
    expect(asked.at(-1)).toEqual([missing, swagger]);
  });

  it('says where to start the sandbox if its own package is not found', () => {
    const resolve: ResolvePackage = (file) =>
      file === 'nestjs-berbix/package.json' ? undefined : `/app/node_modules/${file}`;
    expect(pageAdvice(resolve)).toMatch(
      /^This page needs files of nestjs-berbix\. Start the sandbox in a directory .+ still at \/reference\/openapi\.json\.\n$/,
    );
    expect(pageAdvice((file) => `/app/node_modules/${file}`)).toBeUndefined();
  });

  it('does not hide a package that is broken', () => {
    const broken = () => {
      throw new Error('broken');
    };
    expect(() => swaggerCommand(broken)).toThrow('broken');
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
    .filter((route) => route.includes(' /v0/') && !isPagePath(route.split(' ')[1] ?? ''));
}

function join(root: string, path: string): string {
  return `/${[root, path].join('/').split('/').filter(Boolean).join('/')}`;
}
