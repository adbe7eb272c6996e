import type { ServerResponse } from 'node:http';
import { type ApiErrorBody, READABLE } from '../../wire/index.js';
import { jsonReply, type Reply } from '../http/send-reply.js';
import { challenge } from '../http/api-exception.js';
import type { AnswerFault, HtmlFault, StatusFault } from './fault.js';

/** The error page of a proxy. */
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

/** The answer that the fault describes. */
export function answerReply({ status = 200, headers = {}, body }: AnswerFault): Reply {
  const reply = jsonReply(status, body);
  for (const [name, value] of Object.entries(headers)) reply.headers[name.toLowerCase()] = value;
  return reply;
}

/** For a fault that cuts an answer off when the request is not processed. */
export const UNPROCESSED_REPLY: Reply = jsonReply(200, { entity: 'cut off by the sandbox' });

/** Only where the status determines it: a 401 may be about the secret or a token. */
function usualReadable(status: number): string | undefined {
  if (status === 429) return READABLE.rateLimited;
  return status >= 500 ? READABLE.internalError : undefined;
}

/**
 * Lets the application answer, and keeps the answer instead of sending it. Afterwards the response
 * is unused, as it was before.
 *
 * Works below both adapters: Express calls `setHeader` and `end`, Fastify `writeHead` and `end`.
 */
export function captureReply(response: ServerResponse, process: () => void): Promise<Reply> {
  const { writeHead, write, end } = response;
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
      this.statusCode = status;
      const headers = rest.find((argument) => typeof argument === 'object') ?? {};
      for (const [name, value] of Object.entries(headers)) this.setHeader(name, value as string);
      return this;
    } as ServerResponse['writeHead'];
    response.write = ((...args: unknown[]) => {
      collect(chunks, args);
      return true;
    }) as ServerResponse['write'];
    response.end = function (this: ServerResponse, ...args: unknown[]) {
      collect(chunks, args);
      Object.assign(this, { writeHead, write, end });
      resolve(takeReply(this, chunks));
      return this;
    } as ServerResponse['end'];
    process();
  });
}

/** `write` and `end` take an optional chunk, encoding and callback. */
function collect(chunks: Buffer[], args: unknown[]): void {
  const [chunk, encoding] = args;
  if (typeof chunk === 'string') {
    chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8'));
  } else if (chunk instanceof Uint8Array) {
    chunks.push(Buffer.from(chunk));
  }
  const callback = args.find((argument) => typeof argument === 'function') as
    | (() => void)
    | undefined;
  if (callback) process.nextTick(callback);
}

/** Removes the headers, so that another answer can be sent. */
function takeReply(response: ServerResponse, chunks: Buffer[]): Reply {
  const reply = {
    status: response.statusCode,
    headers: { ...response.getHeaders() },
    body: Buffer.concat(chunks),
  };
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  return reply;
}
