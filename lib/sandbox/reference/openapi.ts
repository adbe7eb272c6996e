/** The parts of OpenAPI 3.0 that the reference uses. [OpenAPI 3.0.3] */
export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: Server[];
  tags: { name: string; description: string }[];
  paths: Record<string, Partial<Record<Method, Operation>>>;
  components: {
    securitySchemes: Record<SecurityName, SecurityScheme>;
    schemas: Record<string, Schema>;
  };
}

export type Method = 'get' | 'post' | 'patch' | 'delete';

export interface Server {
  url: string;
  description?: string;
}

/** What a caller brings: the API secret, or one of the two tokens. */
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
  requestBody?: RequestBody;
  responses: Record<string, Response>;
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

/** What a value looks like. */
export type Schema = ReferenceTo | { allOf: Schema[] } | ValueSchema;

export interface ReferenceTo {
  $ref: string;
}

export interface ValueSchema {
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  format?: string;
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
  example?: unknown;
}
