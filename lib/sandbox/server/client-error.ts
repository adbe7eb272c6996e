import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { JSON_CONTENT_TYPE, toApiJson } from '../api-json.js';
import { invalidRequest } from '../errors/api.exception.js';
import { NO_PAGE_HEADERS } from '../requests/response-headers.js';

/** Answers what is not HTTP at all; node would do it with an empty body. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = invalidRequest(
    'The request is malformed: it is not HTTP, or its head is too large.',
  );
  const body = toApiJson({ ...refusal.toBody() });
  const headers = {
    ...NO_PAGE_HEADERS,
    'content-type': JSON_CONTENT_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': randomUUID(),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code]}\r\n`;
  socket.end(`${status}${lines.join('')}\r\n${body}`);
}
