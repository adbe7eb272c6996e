import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { JSON_CONTENT_TYPE } from '../api-json.js';
import { type Reply, writeHead } from './reply.js';
import type { Timers } from './timers.js';

const FLOOD_START = Buffer.from('{"entity":"transaction_tokens","padding":"');
const FLOOD_CHUNK = Buffer.alloc(64 * 1024, 'x');

/** The head at once, then one byte of the body each time. */
export async function trickle(
  response: ServerResponse,
  reply: Reply,
  ms: number,
  timers: Timers,
): Promise<void> {
  writeHead(response, reply);
  response.flushHeaders();
  for (let sent = 0; sent < reply.body.length && !response.destroyed; sent += 1) {
    await timers.wait(ms);
    response.write(reply.body.subarray(sent, sent + 1));
  }
  response.end();
}

/** So many bytes, no declared length, and no more in memory than the client is slow to read. */
export async function flood(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': JSON_CONTENT_TYPE });
  await pipeline(padding(bytes), response);
}

function* padding(bytes: number): Generator<Buffer> {
  let left = bytes;
  for (let chunk = FLOOD_START; left > 0; chunk = FLOOD_CHUNK) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

/** Half of the body, and then the end of the connection. */
export function truncate(response: ServerResponse, reply: Reply): void {
  writeHead(response, reply);
  const half = reply.body.subarray(0, Math.floor(reply.body.length / 2));
  response.write(half, () => response.destroy());
}
