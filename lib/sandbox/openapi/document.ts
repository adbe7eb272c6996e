import { VERSION } from '../../version.js';
import type { ControlOperation } from '../control/operations.js';
import type { Refusal } from '../http/api-exception.js';
import { API_SCHEMAS, apiPaths } from './api-paths.js';
import {
  type Method,
  type Operation,
  type OpenApiDocument,
  type Parameter,
  type ReferenceValues,
  type SecurityName,
  type SecurityScheme,
  type Server,
  string,
} from './model.js';
import { refuses, TOO_LARGE } from './refusals.js';
import { withSamples } from './samples/samples.js';
import { WEBHOOK_SCHEMAS, WEBHOOKS } from './webhooks.js';

const DESCRIPTION = `The API of Berbix as nestjs-berbix knows it, from the official SDKs and public documentation.

In the sandbox: press **Authorize**, paste the API secret as user name and leave the password empty. The examples work as they are; the exchange uses a transaction that was created for this page. The page uses the tokens of each answer for the next requests: it authorizes with the access and client tokens, and puts a refresh token into the body of the exchange.`;

const CONTROL_TAG = { name: 'Control', description: 'Controls the sandbox, without a secret' };

const SECURITY_SCHEMES: Record<SecurityName, SecurityScheme> = {
  apiSecret: {
    type: 'http',
    scheme: 'basic',
    description: 'The API secret as user name, and an empty password.',
  },
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The access_token of the transaction.',
  },
  clientToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The client_token of the transaction.',
  },
};

/**
 * The whole API as an OpenAPI document.
 *
 * @param values of the examples
 * @param control operations of the control API, in the document of a sandbox
 */
export function createReferenceDocument(
  values: ReferenceValues,
  servers: Server[] = [{ url: values.url }],
  control: readonly ControlOperation[] = [],
): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: { title: 'Berbix', version: VERSION, description: DESCRIPTION },
    servers,
    tags: [
      { name: 'Tokens', description: 'The exchange of refresh tokens' },
      { name: 'Transactions', description: 'From the creation to the result' },
      { name: 'Uploads', description: 'For API-only transactions' },
      { name: 'Webhooks', description: 'Requests that Berbix sends' },
      ...(control.length > 0 ? [CONTROL_TAG] : []),
    ],
    paths: { ...withSamples(apiPaths(values), values), ...controlPaths(control) },
    webhooks: withSamples(WEBHOOKS, values),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: { ...API_SCHEMAS, ...WEBHOOK_SCHEMAS },
    },
  };
}

/** Refusals of every operation of the control API that takes a body. */
const REFUSED_BODIES: readonly Refusal[] = [
  [400, 'invalidRequest', 'The body is not valid.'],
  TOO_LARGE,
  [415, 'unsupportedMediaType', 'The content type of the body is not application/json.'],
];
const UNKNOWN_ID: Refusal = [404, 'notFound', 'There is none with this id.'];

function controlPaths(operations: readonly ControlOperation[]): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {};
  for (const operation of operations) {
    const method = operation.method.toLowerCase() as Method;
    (paths[operation.path] ??= {})[method] = describeControl(operation);
  }
  return paths;
}

function describeControl(described: ControlOperation): Operation {
  const { method, path, status, does, bodies, refusals } = described;
  const parameters = parametersOf(described);
  const examples = bodies.map((value, index) => [`example${index + 1}`, { value }] as const);
  return {
    operationId: [method.toLowerCase(), ...(path.match(/\w+/g) ?? []).map(capitalize)].join(''),
    tags: [CONTROL_TAG.name],
    // Plain text, unlike a description.
    summary: does.replaceAll('`', ''),
    description: 'Not part of the API of Berbix.',
    security: [],
    ...(parameters.length > 0 && { parameters }),
    ...(bodies.length > 0 && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: 'object' },
            examples: Object.fromEntries(examples),
          },
        },
      },
    }),
    responses: {
      [status]: { description: 'Done.' },
      ...refuses(
        ...(bodies.length > 0 ? REFUSED_BODIES : []),
        ...(path.includes('{') ? [UNKNOWN_ID] : []),
        ...refusals,
      ),
    },
  };
}

function parametersOf({ path, query }: ControlOperation): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => ({
    name,
    in: 'path',
    required: true,
    schema: string(),
  }));
  const inQuery = Object.entries(query).map(([name, description]): Parameter => ({
    name,
    in: 'query',
    description,
    required: false,
    schema: string(),
  }));
  return [...inPath, ...inQuery];
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
