import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type ApiErrorBody, READABLE } from '../../wire/index.js';
import { type ApiJson, JSON_CONTENT_TYPE, toApiJson } from '../api-json.js';
import { challenge } from '../auth/authorization.js';
import type { ApiException } from '../errors/api.exception.js';
import type { AnswerFault, HtmlFault, StatusFault } from './fault.js';

/** A whole answer. */
export interface Reply {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** Sends the answer and nothing else. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  writeHead(response, reply);
  response.end(reply.body);
}

/** Sends the head, with the length of the whole body if there can be one. */
export function writeHead(response: ServerResponse, { status, headers, body }: Reply): void {
  const length = isBodiless(status) ? {} : { 'content-length': body.length };
  response.writeHead(status, { ...headers, ...length });
}

/** [RFC 9110 section 6.4.1] */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** A refusal that does not come from a route. */
export function errorReply(error: ApiException): Reply {
  return jsonReply(error.code, { ...error.toBody() });
}

/** An error page of a proxy. */
export function htmlReply({ status = 502 }: HtmlFault): Reply {
  const title = `${status} from the proxy`;
  const page = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: Buffer.from(page),
  };
}

/** An error of the API. */
export function statusReply(fault: StatusFault): Reply {
  const body: ApiErrorBody = {
    code: fault.status,
    readable: fault.readable ?? usualReadable(fault.status),
    message: fault.message ?? `The sandbox was told to answer ${fault.status}.`,
  };
  const reply = jsonReply(fault.status, { ...body });
  if (fault.status === 401) Object.assign(reply.headers, challenge('Basic'));
  if (fault.retryAfter !== undefined) reply.headers['retry-after'] = String(fault.retryAfter);
  return reply;
}

/** Whatever the test wants to see. */
export function answerReply({ status = 200, headers = {}, body }: AnswerFault): Reply {
  const reply = jsonReply(status, body);
  for (const [name, value] of Object.entries(headers)) reply.headers[name.toLowerCase()] = value;
  return reply;
}

/** Half of an answer whose other half nobody has written: enough for a fault that cuts it off. */
export const UNPROCESSED_REPLY: Reply = jsonReply(200, { entity: 'cut off by the sandbox' });

function jsonReply(status: number, body: ApiJson): Reply {
  const text = typeof body === 'string' ? body : toApiJson(body);
  return { status, headers: { 'content-type': JSON_CONTENT_TYPE }, body: Buffer.from(text) };
}

/** Only where the status leaves no doubt: a 401 may blame the secret or the token. */
function usualReadable(status: number): string | undefined {
  if (status === 429) return READABLE.rateLimited;
  return status >= 500 ? READABLE.internalError : undefined;
}
