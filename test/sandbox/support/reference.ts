import { Ajv2020 } from 'ajv/dist/2020.js';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import type {
  OpenApiDocument,
  Operation,
  Response,
  Schema,
} from '../../../lib/sandbox/openapi/model.js';
import { type Answer, basic, RawClient } from './raw-client.js';

/** An operation, and where it is. */
export interface Route {
  method: string;
  path: string;
  operation: Operation;
}

export function routesOf(document: OpenApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

/** The examples of its body by name; one without a body where it takes none. */
export function examplesOf({ requestBody }: Operation): [name: string, body: unknown][] {
  const examples = requestBody?.content['application/json'].examples ?? { none: { value: {} } };
  return Object.entries(examples).map(([name, { value }]) => [name, requestBody && value]);
}

/** The status of success. */
export function successOf({ responses }: Operation): number {
  return Number(Object.keys(responses).find((status) => status.startsWith('2')));
}

/** The refusals by status and name of their example. */
export function refusalsOf({ responses }: Operation): [status: number, name: string][] {
  const refusals = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  return refusals.flatMap(([status, { content }]) =>
    Object.keys(content?.['application/json'].examples ?? {}).map((name): [number, string] => [
      Number(status),
      name,
    ]),
  );
}

export interface Sent {
  credential?: unknown;
  body?: unknown;
}

/** The headers that tell a client what to do about a refusal. */
const REFUSAL_HEADERS = ['retry-after', 'www-authenticate'];

/** Follows the document of a sandbox, with a transaction that was made for the occasion. */
export class Reader {
  private constructor(
    readonly client: RawClient,
    readonly document: OpenApiDocument,
    /** The answer to the creation of the transaction. */
    readonly created: Record<string, unknown>,
  ) {}

  /** The transaction is one that the operation is for. */
  static async open(client: RawClient, operationId: string): Promise<Reader> {
    const { text } = await client.send('GET', '/reference/openapi.json');
    const document = JSON.parse(text) as OpenApiDocument;
    const kind = operationId.startsWith('upload') ? 'apiOnly' : 'sdk';
    const bodies = examplesOf(
      new Reader(client, document, {}).#route('createTransaction').operation,
    );
    const body = Object.fromEntries(bodies)[kind] as Record<string, unknown>;
    return new Reader(client, document, (await client.create(body)).json);
  }

  /** Sends a request as the page would; without a body, it is the one of the first example. */
  send(operationId: string, { credential, body }: Sent = {}): Promise<Answer> {
    const { method, path, operation } = this.#route(operationId);
    return this.client.send(method, path, {
      authorization: this.#authorization(operation, credential),
      body: body ?? examplesOf(operation)[0]?.[1],
    });
  }

  /** Why the answer is not as it is documented; empty if it is. */
  complaints(operationId: string, { status, text, headers }: Answer): string[] {
    const { operation } = this.#route(operationId);
    const response: Response | undefined = operation.responses[status];
    if (!response) return [`${status} is not documented`];
    const documented = Object.keys(response.headers ?? {}).map((name) => name.toLowerCase());
    const sent = REFUSAL_HEADERS.filter((name) => headers[name] !== undefined);
    const different = [
      ...documented.filter((name) => headers[name] === undefined),
      ...sent.filter((name) => !documented.includes(name)),
    ];
    if (different.length > 0) return different;
    const schema = response.content?.['application/json'].schema;
    if (!schema) return text === '' ? [] : ['a body'];
    return complaintsAbout(this.document, schema, JSON.parse(text));
  }

  #route(operationId: string): Route {
    const route = routesOf(this.document).find(
      ({ operation }) => operation.operationId === operationId,
    );
    if (!route) throw new Error(`${operationId} is not documented`);
    return route;
  }

  #authorization({ security }: Operation, credential: unknown): string {
    const [scheme = ''] = Object.keys(security[0] ?? {});
    if (scheme === 'apiSecret') return basic(String(credential ?? this.client.secret));
    const name = scheme === 'accessToken' ? 'access_token' : 'client_token';
    return `Bearer ${credential ?? this.created[name]}`;
  }
}

/** Why a schema of the document does not allow the value; empty if it does. */
export function complaintsAbout(
  document: OpenApiDocument,
  schema: Schema,
  value: unknown,
): string[] {
  // The document as a whole is not a JSON schema, and compiling the schema of those takes a second.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false });
  ajv.addSchema(document, 'document');
  const found = '$ref' in schema ? { $ref: `document${schema.$ref}` } : schema;
  const validate = ajv.compile({ ...found, unevaluatedProperties: false });
  validate(value);
  return validate.errors?.map((error) => ajv.errorsText([error])) ?? [];
}

/** Options of the sandbox that the operation needs. */
export function optionsFor(operationId: string): BerbixSandboxOptions {
  return operationId === 'uploadIdScan' ? { apiOnlyDocument: 'barcode' } : {};
}

/** A client of live mode for the same sandbox. */
export function liveClient(sandbox: BerbixSandbox): RawClient {
  return new RawClient(sandbox, sandbox.liveApiSecret);
}
