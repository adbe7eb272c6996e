import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Timers } from '../clock.js';
import { JSON_CONTENT_TYPE } from '../http/api-json.js';
import { type Reply, sendHead, sendReply } from '../http/send-reply.js';
import type { Processable, SandboxFault } from './fault.js';
import { answerReply, captureReply, htmlReply, statusReply, UNPROCESSED_REPLY } from './replies.js';

/** A request that gets a fault. */
export interface FaultedRequest {
  response: ServerResponse;
  /** Passes the request to the application. */
  process: () => void;
}

/** What a fault does to a request. Resolves when the sandbox has done its part. */
type Effect<Fault> = (fault: Fault, request: FaultedRequest, player: FaultPlayer) => unknown;

/** The effect of each kind; a kind without one does not compile. */
const EFFECTS: {
  [Kind in SandboxFault['kind']]: Effect<Extract<SandboxFault, { kind: Kind }>>;
} = {
  latency: async ({ ms }, { response, process }, { timers }) => {
    await timers.wait(ms);
    if (!response.destroyed) process();
  },
  reset: async (fault, request, { reset }) => {
    await lostReply(fault, request);
    reset(request.response);
  },
  hang: lostReply,
  trickle: async ({ ms }, { response, process }, { timers }) =>
    trickle(response, await captureReply(response, process), ms, timers),
  flood: ({ bytes }, { response }) => flood(response, bytes),
  truncate: async (fault, request) => truncate(request.response, await lostReply(fault, request)),
  html: async (fault, request) => {
    await lostReply(fault, request);
    sendReply(request.response, htmlReply(fault));
  },
  status: async (fault, request) => {
    await lostReply(fault, request);
    sendReply(request.response, statusReply(fault));
  },
  answer: async (fault, request) => {
    await lostReply(fault, request);
    sendReply(request.response, answerReply(fault));
  },
};

/** Makes faults happen. */
export class FaultPlayer {
  readonly timers = new Timers();

  /** @param reset resets the connection of a response */
  constructor(readonly reset: (response: ServerResponse) => void) {}

  /** Resolves when the sandbox has done its part of the fault. */
  async play(fault: SandboxFault, request: FaultedRequest): Promise<void> {
    const effect = EFFECTS[fault.kind] as Effect<SandboxFault>;
    await effect(fault, request, this);
  }

  /** Ends the faults in progress. */
  close(): void {
    this.timers.clear();
  }
}

/** The answer that the client does not get: a real one if the request is to be processed. */
async function lostReply(
  { processed }: Processable,
  { response, process }: FaultedRequest,
): Promise<Reply> {
  return processed ? captureReply(response, process) : UNPROCESSED_REPLY;
}

const FLOOD_START = Buffer.from('{"entity":"transaction_tokens","padding":"');
const FLOOD_CHUNK = Buffer.alloc(64 * 1024, 'x');

/** Sends the head, then one byte of the body every `ms` milliseconds. */
async function trickle(
  response: ServerResponse,
  reply: Reply,
  ms: number,
  timers: Timers,
): Promise<void> {
  sendHead(response, reply);
  response.flushHeaders();
  for (let sent = 0; sent < reply.body.length; sent += 1) {
    await timers.wait(ms);
    if (response.destroyed) return;
    response.write(reply.body.subarray(sent, sent + 1));
  }
  response.end();
}

/** Sends that many bytes without declaring their length, as fast as the client reads. */
async function flood(response: ServerResponse, bytes: number): Promise<void> {
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

/** Sends half of the body, then closes the connection. */
function truncate(response: ServerResponse, reply: Reply): void {
  sendHead(response, reply);
  const half = reply.body.subarray(0, Math.floor(reply.body.length / 2));
  response.write(half, () => response.destroy());
}
