import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { MAX_UPLOAD_BYTES } from '../../wire/index.js';
import { invalidRequest } from './api-exception.js';

const bodies = new WeakMap<IncomingMessage, string>();

/** The body that {@link readBody} read. */
export function bodyOf(request: IncomingMessage): string {
  return bodies.get(request) ?? '';
}

/**
 * Reads the body once, for the log, the faults and the routes; the parsers of the adapters are off.
 *
 * @returns `too-large` after the end of such a body, since a client that is still writing does not
 * read the answer; `aborted` if the client closed the connection before the end
 */
export async function readBody(request: IncomingMessage): Promise<'ok' | 'too-large' | 'aborted'> {
  if (!hasBody(request)) return 'ok';
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_UPLOAD_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  const isComplete = await new Promise((resolve) => {
    request.once('end', () => resolve(true));
    request.once('close', () => resolve(false));
  });
  if (!isComplete) return 'aborted';
  if (bytes > MAX_UPLOAD_BYTES) return 'too-large';
  bodies.set(request, Buffer.concat(chunks).toString());
  return 'ok';
}

/** Whether the request has a body. [RFC 9112 section 6.3] */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The body of the request as a JSON object, whatever its content type. */
export const JsonObjectBody = createParamDecorator((_: unknown, context: ExecutionContext) =>
  parseJsonObject(bodyIn(context)),
);

/** The body of the request as the fields of a form, whatever its content type. */
export const FormBody = createParamDecorator(
  (_: unknown, context: ExecutionContext) => new URLSearchParams(bodyIn(context)),
);

function bodyIn(context: ExecutionContext): string {
  return bodyOf(rawRequestOf(context));
}

/** The request of Node: Fastify wraps it, Express extends it. */
export function rawRequestOf(context: ExecutionContext): IncomingMessage {
  const request = context.switchToHttp().getRequest<IncomingMessage & { raw?: IncomingMessage }>();
  return request.raw ?? request;
}

function parseJsonObject(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw invalidRequest('The body must be a JSON object.');
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The message of the parser quotes the body, which may contain a token.
    throw invalidRequest('The body is not JSON. Send a JSON object.');
  }
}

/** A JSON object with unchecked members. */
export type JsonObject = Readonly<Record<string, unknown>>;

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go sends `""` and Java `null` for a missing string. [sdk: go types.go, java] */
export function optionalString(body: JsonObject, name: string): string | undefined {
  const value = body[name] ?? '';
  if (typeof value !== 'string') throw invalidRequest(`${name} must be a string.`);
  return value === '' ? undefined : value;
}

/** A string that must be present. */
export function requiredString(body: JsonObject, name: string): string {
  const value = optionalString(body, name);
  if (value === undefined) throw invalidRequest(`${name} is missing. Send it as a string.`);
  return value;
}

/** False if it is missing. */
export function optionalBoolean(body: JsonObject, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw invalidRequest(`${name} must be true or false.`);
  return value;
}

/** A list of objects that must be present. */
export function requiredList(body: JsonObject, name: string): JsonObject[] {
  const value = body[name];
  if (Array.isArray(value) && value.every(isJsonObject)) return value;
  throw invalidRequest(`${name} must be a list of objects.`);
}

/** PHP writes an empty object as `[]`, Java sends `null` for a missing one. [sdk: php, java] */
export function optionalObject(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || isJsonObject(value)) return value;
  if (Array.isArray(value) && value.length === 0) return {};
  throw invalidRequest(`${name} must be an object.`);
}

/** @throws {ApiException} 400 that lists the words */
export function parseWord<Word extends string>(
  words: readonly Word[],
  name: string,
  value: unknown,
): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw invalidRequest(`The ${name} must be one of ${words.join(', ')}.`);
  return word;
}

/** @throws {ApiException} 400 that names the first of these members */
export function refuseUnknown(unknown: JsonObject): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw invalidRequest(`"${name}" is not known here.`);
}
