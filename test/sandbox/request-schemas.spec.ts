import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import { PLACEHOLDERS } from '../../lib/sandbox/openapi/model.js';
import { usualOrLong } from '../support/long.js';
import { startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';
import { optionsFor, Reader, routesOf } from './support/reference.js';

type Json = Record<string, unknown>;

const DOCUMENT = createReferenceDocument(PLACEHOLDERS);
const SCHEMAS = (DOCUMENT as unknown as { components: { schemas: Record<string, Json> } })
  .components.schemas;
const REQUESTS = routesOf(DOCUMENT).flatMap(({ operation }) => {
  const body = operation.requestBody?.content['application/json'].schema as Json | undefined;
  return body === undefined ? [] : [[operation.operationId, body] as const];
});

const ajv = new Ajv2020({ strict: false });
// A date is compared, not checked: as in JSON Schema, the format is an annotation.
ajv.addFormat('date', true);
// An annotation in JSON Schema, too, but the sandbox refuses what is not base64.
ajv.removeKeyword('contentEncoding');
ajv.addKeyword({
  keyword: 'contentEncoding',
  validate: (_: string, value: unknown) =>
    typeof value !== 'string' || /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(value),
});
ajv.addSchema(DOCUMENT, 'document');

/**
 * Values of the wrong type, empty ones, and some that are right in one place or another. The sandbox takes
 * more than the schemas allow where SDKs send it: null and '' for nothing, [] for {}, and integers as
 * customers.
 */
const anything = fc.constantFrom<unknown[]>(
  ' ',
  'x',
  'USA',
  'U1',
  '2020-02-30',
  'a-b',
  'QQ=',
  1.5,
  true,
  false,
  [''],
  {},
);

/** Mostly what the schema allows. */
function bodyOf(schema: Json): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: allowedBy(schema) }, { weight: 1, arbitrary: anything });
}

function allowedBy(schema: Json): fc.Arbitrary<unknown> {
  const { $ref, type, properties, required, items, additionalProperties } = schema as Schema;
  if ($ref !== undefined) return allowedBy(SCHEMAS[$ref.split('/').at(-1) as string] as Json);
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if (type === 'array') return fc.array(bodyOf(items as Json), { minLength: 1, maxLength: 1 });
  if (type === 'boolean') return fc.boolean();
  if (type === 'string') return fc.constantFrom(...textsOf(schema));
  if (type !== 'object') throw new Error(`no values for ${JSON.stringify(schema)}`);
  if (properties === undefined) {
    return fc.dictionary(
      fc.constantFrom('given_name', 'age'),
      bodyOf(additionalProperties as Json),
    );
  }
  const values = Object.entries(properties).map(([name, each]) => [name, bodyOf(each)] as const);
  const all = Object.fromEntries(values);
  const needed = fc.record(all, { requiredKeys: required ?? [] });
  // Now and then without one that is required.
  return fc.oneof({ weight: 12, arbitrary: needed }, fc.record(all, { requiredKeys: [] }));
}

interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Json>;
  required?: string[];
  items?: Json;
  additionalProperties?: Json;
}

function textsOf({ format, pattern, contentEncoding, examples }: Json): string[] {
  if (format === 'date') return ['2020-02-29', '1999-12-31'];
  if (contentEncoding === 'base64') return ['QQ==', 'AAAA'];
  if (pattern === '^[A-Za-z]{2}$') return ['US', 'gb'];
  if (pattern !== undefined) return ['id_expired', 'flag_1'];
  return (examples as string[] | undefined) ?? ['some text'];
}

/** With a key, a token and an action of this sandbox where there is any: the schema cannot know them. */
function completed(body: unknown, sandbox: BerbixSandbox, created: Json): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { template_key, refresh_token, action, hosted_options, api_only_options } = body as Json;
  const { sdk, hosted, apiOnly } = sandbox.templateKeys;
  const key = hosted_options ? hosted : api_only_options ? apiOnly : sdk;
  const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0;
  return {
    ...body,
    ...(isText(template_key) && { template_key: key }),
    ...(isText(refresh_token) && { refresh_token: created['refresh_token'] }),
    ...(isText(action) && { action: 'accept' }),
  };
}

describe.each(REQUESTS)('the schema of the body of %s', (operationId, schema) => {
  it('allows what the sandbox accepts, and forbids what it refuses', async () => {
    const sandbox = await startSandbox(optionsFor(operationId));
    const validate = ajv.compile({ $ref: `document${(schema as Schema).$ref}` });
    const seen = { allowed: 0, forbidden: 0 };
    await fc.assert(
      fc.asyncProperty(bodyOf(schema), async (generated) => {
        const reader = await Reader.open(new RawClient(sandbox), operationId);
        const body = completed(generated, sandbox, reader.created) as Json;
        // Two rules are beside the schema: one object of options, and no single selfie from a side.
        fc.pre(!(body['hosted_options'] && body['api_only_options']));
        fc.pre(!/"image_subject":"selfie_(?:left|right)"/.test(JSON.stringify(body)));
        const isAllowed = validate(body);
        seen[isAllowed ? 'allowed' : 'forbidden']++;
        const { status, text } = await reader.send(operationId, { body });
        const isRefused = status === 400;
        expect({ isRefused, errors: validate.errors ?? [], text }).toEqual({
          isRefused: !isAllowed,
          errors: expect.anything(),
          text: expect.anything(),
        });
      }),
      // The long form looks for what nobody has seen yet; its seed is printed.
      { numRuns: usualOrLong(24, 2_000), seed: usualOrLong(1, Date.now() % 1e9) },
    );
    expect(seen.allowed).toBeGreaterThan(0);
    expect(seen.forbidden).toBeGreaterThan(0);
  });
});

const image = (image_subject: string, data = 'QQ==') => ({ image_subject, data });
const SELFIES = ['selfie_front', 'selfie_left', 'selfie_right'].map((subject) => image(subject));
const CREATION = { customer_uid: 'alice', template_key: 'x' };
const SCAN = { scan_type: 'pdf417', extracted_data: 'QQ==' };

describe('the schemas of bodies', () => {
  it.each<[operationId: string, body: Json, isAllowed: boolean]>([
    ['createTransaction', { customer_uid: '', template_key: 'x' }, false],
    ['createTransaction', { customer_uid: 'alice', template_key: '' }, false],
    ['createTransaction', { ...CREATION, api_only_options: { id_country: 'gb' } }, true],
    ['createTransaction', { ...CREATION, api_only_options: { id_country: 'GBR' } }, false],
    ['refreshTokens', { refresh_token: '' }, false],
    ['updateTransaction', { action: '' }, false],
    ['overrideTransaction', { response_payload: 'us-dl', flags: ['ID'] }, false],
    ['uploadImages', { images: [] }, false],
    ['uploadImages', { images: SELFIES }, true],
    ['uploadImages', { images: [...SELFIES, image('document_front')] }, false],
    ['uploadImages', { images: [image('document_front', '')] }, false],
    ['uploadIdScan', { id_scans: [] }, false],
    ['uploadIdScan', { id_scans: [SCAN] }, true],
    ['uploadIdScan', { id_scans: [SCAN, SCAN] }, false],
    ['uploadIdScan', { id_scans: [{ ...SCAN, extracted_data: '' }] }, false],
  ])('have the limits of the sandbox: %s %j', async (operationId, body, isAllowed) => {
    const [, schema] = REQUESTS.find(([id]) => id === operationId) ?? [];
    expect(ajv.validate({ $ref: `document${(schema as Schema).$ref}` }, body)).toBe(isAllowed);
    const client = new RawClient(await startSandbox(optionsFor(operationId)));
    const reader = await Reader.open(client, operationId);
    const { status } = await reader.send(operationId, {
      body: completed(body, client.sandbox, reader.created),
    });
    expect(status === 400).toBe(!isAllowed);
  });
});
