import type { IncomingMessage } from 'node:http';
import { MAX_UPLOAD_BYTES } from '../../wire/index.js';

const bodies = new WeakMap<IncomingMessage, string>();

/** The body that {@link readBody} read. */
export function bodyOf(request: IncomingMessage): string {
  return bodies.get(request) ?? '';
}

/**
 * Reads the body once, for the log, the faults and the routes alike; no parser of an adapter is in
 * the way. Resolves to `too-large` after the end of a body that is, since a client that is still
 * writing would not read the answer, and to `aborted` if the client went away before the end.
 */
export async function readBody(request: IncomingMessage): Promise<'ok' | 'too-large' | 'aborted'> {
  if (!hasBody(request)) return 'ok';
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= MAX_UPLOAD_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return 'aborted';
  }
  if (bytes > MAX_UPLOAD_BYTES) return 'too-large';
  bodies.set(request, Buffer.concat(chunks).toString());
  return 'ok';
}

/** Whether a body comes behind the head. [RFC 9112 section 6.3] */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
