import type { IncomingMessage } from 'node:http';

/** The request as an adapter hands it to a handler. */
export type PlatformRequest = IncomingMessage & { raw?: IncomingMessage };

/** The request of node: Fastify wraps it; Express extends it. */
export function nodeRequestOf(request: PlatformRequest): IncomingMessage {
  return request.raw ?? request;
}
