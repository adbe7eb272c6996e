import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { invalidRequest } from '../errors/api.exception.js';
import { isJsonObject, type JsonObject } from './fields.js';
import { nodeRequestOf, type PlatformRequest } from './node-request.js';
import { bodyOf } from './request-body.js';

/** The body of the request as a JSON object. The content type is not looked at. */
export const JsonObjectBody = createParamDecorator((_: unknown, context: ExecutionContext) =>
  parseJsonObject(bodyOf(nodeRequestOf(context.switchToHttp().getRequest<PlatformRequest>()))),
);

function parseJsonObject(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw invalidRequest('The body must be a JSON object.');
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the body, in which there may be a token.
    throw invalidRequest('The body is not JSON. Send a JSON object.');
  }
}
