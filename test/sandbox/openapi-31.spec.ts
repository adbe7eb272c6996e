import { describe, expect, it } from '@jest/globals';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import {
  type OpenApiDocument,
  PLACEHOLDERS,
  type Schema,
  type SecurityName,
} from '../../lib/sandbox/openapi/model.js';
import { startSandbox } from '../support/services.js';
import { type Hook, HookServer } from './support/hook-server.js';
import { openApiComplaints } from './support/openapi-31.js';
import { complaintsAbout, refusalsOf, routesOf } from './support/reference.js';

describe('the document as OpenAPI 3.1', () => {
  it('is valid, outside of a sandbox and with the control API', async () => {
    const { url } = await startSandbox();
    const answer = await fetch(`${url}/reference/openapi.json`);
    const document = (await answer.json()) as OpenApiDocument;
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(openApiComplaints(document)).toEqual([]);
    const outside = createReferenceDocument(PLACEHOLDERS);
    expect(openApiComplaints(outside)).toEqual([]);
    expect(outside.servers).toEqual([{ url: 'https://api.berbix.com' }]);
  });

  it.each(['nullable', 'example'])('is not valid with %s, which OpenAPI 3.0 has', (keyword) => {
    const document = createReferenceDocument(PLACEHOLDERS);
    const WebhookBody = { type: 'string', [keyword]: true } as Schema;
    const schemas = { ...document.components.schemas, WebhookBody };
    const old = { ...document, components: { ...document.components, schemas } };
    expect(openApiComplaints(old)).toEqual([
      `WebhookBody: strict mode: unknown keyword: "${keyword}"`,
    ]);
  });

  it('is not valid with the version or the paths of another specification', () => {
    const document = createReferenceDocument(PLACEHOLDERS);
    expect(openApiComplaints({ ...document, openapi: '3.0.3' })).not.toEqual([]);
    expect(openApiComplaints({ ...document, paths: { v0: {} } })).not.toEqual([]);
  });

  it('says what becomes of a credential that is wrong, of another kind, or too old', () => {
    for (const { operation } of routesOf(createReferenceDocument(PLACEHOLDERS))) {
      const refusals = refusalsOf(operation).map(([, name]) => name);
      const [scheme] = Object.keys(operation.security[0] ?? {});
      const expected = {
        apiSecret: ['invalid_api_secret'],
        accessToken: ['invalid_access_token', 'wrong_token_kind', 'transaction_gone'],
        clientToken: ['invalid_client_token', 'wrong_token_kind', 'transaction_gone'],
      }[scheme as SecurityName];
      expect([operation.operationId, refusals]).toEqual([
        operation.operationId,
        expect.arrayContaining(expected),
      ]);
    }
  });

  it('has the webhooks as they arrive', async () => {
    const hooks = await HookServer.start();
    const target = { url: hooks.url };
    const sandbox = await startSandbox({ webhooks: { finished: target, status: target } });
    const document = createReferenceDocument(PLACEHOLDERS);
    expect(Object.keys(document.webhooks)).toEqual(Object.keys(sandbox.webhookSecrets));
    expect(document.webhooks).toMatchObject({
      finished: { post: { summary: 'The customer has completed the flow' } },
      status: { post: { summary: 'The action was determined or changed' } },
    });
    for (const kind of ['finished', 'status'] as const) {
      await sandbox.webhooks.sendTest(kind);
      const { headers, body } = hooks.hooks.at(-1) as Hook;
      const { parameters = [], requestBody, responses } = document.webhooks[kind].post;
      expect(parameters.map(({ name }) => name)).toEqual(['X-Berbix-Signature']);
      expect(Object.keys(responses)).toEqual(['200', 'default']);
      for (const { name, schema } of parameters) {
        expect(complaintsAbout(document, schema, headers[name.toLowerCase()])).toEqual([]);
      }
      const schema = requestBody?.content['application/json'].schema as Schema;
      expect(complaintsAbout(document, schema, JSON.parse(body))).toEqual([]);
      expect(complaintsAbout(document, schema, { customer_uid: 'alice' })).not.toEqual([]);
    }
  });
});
