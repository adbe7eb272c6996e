import type { ServerResponse } from 'node:http';
import type { Reply } from './reply.js';

/**
 * Lets the application answer, and keeps the answer instead of sending it. Afterwards the response
 * is as unused as before.
 *
 * Works below both adapters: Express ends in `setHeader` and `end`, Fastify in `writeHead` and `end`.
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

/** The arguments of `write` and `end`: a chunk or none, an encoding or none, a callback or none. */
function collect(chunks: Buffer[], args: unknown[]): void {
  const [chunk, encoding] = args;
  if (typeof chunk === 'string') {
    chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8'));
  } else if (chunk instanceof Uint8Array) {
    chunks.push(Buffer.from(chunk));
  }
  const callback = args.find((argument) => typeof argument === 'function') as
    (() => void) | undefined;
  if (callback) process.nextTick(callback);
}

/** Takes the headers with it, so that another answer can be sent in its place. */
function takeReply(response: ServerResponse, chunks: Buffer[]): Reply {
  const reply = {
    status: response.statusCode,
    headers: { ...response.getHeaders() },
    body: Buffer.concat(chunks),
  };
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  return reply;
}
