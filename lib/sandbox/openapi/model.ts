import { PRODUCTION_HOST, type WebhookKind } from '../../wire/index.js';
import type { TemplateKeys } from '../transactions/templates.js';

/** The parts of OpenAPI 3.1 that the reference uses. [OpenAPI 3.1.1] */
export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: Server[];
  tags: { name: string; description: string }[];
  paths: Record<string, Partial<Record<Method, Operation>>>;
  /** Requests that the API sends, by their kind. */
  webhooks: Record<WebhookKind, { post: Operation }>;
  components: {
    securitySchemes: Record<SecurityName, SecurityScheme>;
    schemas: Record<string, Schema>;
  };
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Server {
  url: string;
  description?: string;
}

/** Credentials: the API secret, or one of the two tokens. */
export type SecurityName = 'apiSecret' | 'accessToken' | 'clientToken';

export interface SecurityScheme {
  type: 'http';
  scheme: 'basic' | 'bearer';
  description: string;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  security: Partial<Record<SecurityName, string[]>>[];
  parameters?: Parameter[];
  requestBody?: RequestBody;
  responses: Record<string, Response>;
  'x-codeSamples'?: CodeSample[];
}

/** How to call the operation in one language, as tools for documents show it. [Redocly x-codeSamples] */
export interface CodeSample {
  /** For syntax highlighting. */
  lang: string;
  /** The name of its tab. */
  label: string;
  source: string;
}

/** A part of the path or of the query, or a header. */
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description?: string;
  required: boolean;
  schema: Schema;
}

export interface RequestBody {
  required: true;
  content: { 'application/json': Content };
}

export interface Response {
  description: string;
  headers?: Record<string, { description: string; schema: Schema }>;
  content?: { 'application/json': Content };
}

export interface Content {
  schema: Schema;
  examples?: Record<string, Example>;
}

export interface Example {
  summary?: string;
  value: object;
}

/** The schema of a value. */
export type Schema = ReferenceTo | { allOf: Schema[] } | ValueSchema;

export interface ReferenceTo {
  $ref: string;
}

/** The types of JSON. */
type ValueType = 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null';

export interface ValueSchema {
  type: ValueType | readonly ValueType[];
  format?: string;
  contentEncoding?: 'base64';
  description?: string;
  enum?: readonly string[];
  pattern?: string;
  minLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  examples?: readonly unknown[];
}

type Details = Omit<ValueSchema, 'type'>;

/** Required members: a missing or an additional one does not compile. */
type RequiredMember<Shape> = {
  [Name in keyof Shape]-?: undefined extends Shape[Name] ? never : Name;
}[keyof Shape];

/** An object of `lib/wire`, with a schema for each member and all of its required members. */
export function object<Shape>(
  properties: { [Name in keyof Required<Shape>]: Schema },
  required: readonly (RequiredMember<Shape> & string)[],
  description?: string,
): ValueSchema {
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties,
    ...(required.length > 0 && { required }),
  };
}

export function string(details: Details = {}): ValueSchema {
  return { type: 'string', ...details };
}

export function boolean(details: Details = {}): ValueSchema {
  return { type: 'boolean', ...details };
}

/** The value, or null. */
export function orNull(schema: ValueSchema): ValueSchema {
  return { ...schema, type: [schema.type, 'null'].flat() as ValueType[] };
}

/** One word of a closed set. */
export function closedWord(words: readonly string[], details: Details = {}): ValueSchema {
  return string({ enum: words, ...details });
}

/** A word of an open set; the known ones are in its description. */
export function openWord(words: readonly string[], details: Details = {}): ValueSchema {
  const known = `One of ${words.join(', ')}, or another.`;
  const description = details.description === undefined ? known : `${details.description} ${known}`;
  return string({ ...details, description });
}

export function list(items: Schema, details: Details = {}): ValueSchema {
  return { type: 'array', items, ...details };
}

/** An object whose members all have the same schema. */
export function recordOf(values: Schema | true, details: Details = {}): ValueSchema {
  return { type: 'object', additionalProperties: values, ...details };
}

/** The id of a transaction. [sdk: go int64] */
export function int64(details: Details = {}): ValueSchema {
  return { type: 'integer', format: 'int64', ...details };
}

/** RFC 3339. */
export function dateTime(details: Details = {}): ValueSchema {
  return string({ format: 'date-time', ...details });
}

/** A schema of the components, by its name. */
export function ref(name: string): ReferenceTo {
  return { $ref: `#/components/schemas/${name}` };
}

/** A JSON body, with examples that the sandbox accepts. */
export function takes(schema: string, examples: Record<string, Example>): RequestBody {
  return { required: true, content: { 'application/json': { schema: ref(schema), examples } } };
}

/** 200 with a JSON body; without an example, it is made of the examples of its members. */
export function answers(
  description: string,
  schema: string,
  example?: object,
): Record<string, Response> {
  const examples = example && { examples: { answer: { value: example } } };
  return {
    200: { description, content: { 'application/json': { schema: ref(schema), ...examples } } },
  };
}

/** 204 and no body. */
export function answersNothing(description: string): Record<string, Response> {
  return { 204: { description } };
}

/** Values in examples and samples that each sandbox has its own of. */
export interface ReferenceValues {
  /** The base URL, without a slash at the end. */
  url: string;
  /** The one of HTTPS, if that is another. */
  tlsUrl: string | undefined;
  templateKeys: TemplateKeys;
  /** A token that can be exchanged. */
  refreshToken: string;
}

/** For a document outside of a sandbox. */
export const PLACEHOLDERS: ReferenceValues = {
  url: PRODUCTION_HOST,
  tlsUrl: undefined,
  templateKeys: {
    sdk: 'tpk_of_your_sdk_template',
    hosted: 'tpk_of_your_hosted_template',
    apiOnly: 'tpk_of_your_api_only_template',
  },
  refreshToken: 'the_refresh_token_that_you_have_stored',
};
