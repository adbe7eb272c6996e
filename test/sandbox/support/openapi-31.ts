import { Ajv2020 } from 'ajv/dist/2020.js';

const REQUIRED_BODY = { type: 'object', additionalProperties: { $ref: '#/$defs/media' } };

/** An object with these members, some of which it needs, and extensions. */
function closed(properties: object, ...required: string[]): object {
  return {
    type: 'object',
    properties,
    required,
    patternProperties: { '^x-': true },
    additionalProperties: false,
  };
}

const text = { type: 'string', minLength: 1 };
const texts = { type: 'array', items: text };
const schema = { $ref: 'https://json-schema.org/draft/2020-12/schema' };

/** An object whose members are all of one kind. */
function mapOf(kind: string, name = '.'): object {
  const values = { $ref: `#/$defs/${kind}` };
  return { type: 'object', patternProperties: { [name]: values }, additionalProperties: false };
}

/** The objects of OpenAPI 3.1 that the reference may use, with the members that they have there. */
const OPENAPI_31 = {
  ...closed(
    {
      openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' },
      info: closed({ title: text, version: text, description: text }, 'title', 'version'),
      servers: { type: 'array', items: closed({ url: text, description: text }, 'url') },
      tags: { type: 'array', items: closed({ name: text, description: text }, 'name') },
      paths: mapOf('path', '^/'),
      webhooks: mapOf('path'),
      components: closed({
        schemas: {
          type: 'object',
          propertyNames: { pattern: '^[\\w.-]+$' },
          additionalProperties: schema,
        },
        securitySchemes: {
          type: 'object',
          additionalProperties: closed(
            { type: { const: 'http' }, scheme: { enum: ['basic', 'bearer'] }, description: text },
            'type',
            'scheme',
          ),
        },
      }),
    },
    'openapi',
    'info',
    'paths',
  ),
  $defs: {
    path: mapOf('operation', '^(?:get|put|post|delete|patch)$'),
    operation: closed({
      operationId: text,
      tags: texts,
      summary: text,
      description: text,
      security: { type: 'array', items: { type: 'object', additionalProperties: texts } },
      parameters: { type: 'array', items: { $ref: '#/$defs/parameter' } },
      requestBody: closed(
        { required: { type: 'boolean' }, description: text, content: REQUIRED_BODY },
        'content',
      ),
      responses: { ...mapOf('response', '^(?:[1-5]\\d\\d|default)$'), minProperties: 1 },
    }),
    parameter: {
      ...closed(
        {
          name: text,
          in: { enum: ['path', 'query', 'header'] },
          description: text,
          required: { type: 'boolean' },
          schema,
        },
        'name',
        'in',
        'schema',
      ),
      if: { properties: { in: { const: 'path' } } },
      // oxlint-disable-next-line unicorn/no-thenable
      then: { properties: { required: { const: true } } },
    },
    response: closed(
      {
        description: text,
        headers: {
          type: 'object',
          additionalProperties: closed({ description: text, schema }, 'schema'),
        },
        content: REQUIRED_BODY,
      },
      'description',
    ),
    media: closed({
      schema,
      examples: {
        type: 'object',
        additionalProperties: closed({ summary: text, value: true }, 'value'),
      },
    }),
  },
};

/** What in a document is not OpenAPI 3.1; empty if all of it is. */
export function openApiComplaints(document: object): string[] {
  const ajv = new Ajv2020({ allErrors: true });
  const validate = ajv.compile(OPENAPI_31);
  validate(document);
  return [...(validate.errors ?? []).map((error) => ajv.errorsText([error])), ...unknownKeywords()];

  /** In strict mode, the schemas of the components may only have the keywords of JSON Schema 2020-12. */
  function unknownKeywords(): string[] {
    const { schemas } = (document as { components: { schemas: Record<string, object> } })
      .components;
    const strict = new Ajv2020({ strictRequired: false, allowUnionTypes: true });
    strict.addFormat('date', true).addFormat('date-time', true).addFormat('int64', true);
    // Of OpenAPI 3.0, but known to Ajv.
    strict.removeKeyword('nullable');
    const $defs = JSON.parse(
      JSON.stringify(schemas).replaceAll('"#/components/schemas/', '"#/$defs/'),
    ) as object;
    return Object.keys($defs).flatMap((name) => {
      try {
        strict.compile({ $ref: `#/$defs/${name}`, $defs });
        return [];
      } catch (error) {
        return [`${name}: ${(error as Error).message}`];
      }
    });
  }
}
