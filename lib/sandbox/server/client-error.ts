import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { JSON_CONTENT_TYPE, toApiJson } from '../api-json.js';
import { invalidRequest } from '../errors/api.exception.js';

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
  socket.end(
    `HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code]}\r\n` +
      `Content-Type: ${JSON_CONTENT_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
