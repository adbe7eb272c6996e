import type { ServerResponse } from 'node:http';
import { captureReply } from './capture-reply.js';
import type { SandboxFault } from './fault.js';
import {
  answerReply,
  htmlReply,
  type Reply,
  sendReply,
  statusReply,
  UNPROCESSED_REPLY,
} from './reply.js';
import { flood, trickle, truncate } from './slow-replies.js';
import { Timers } from './timers.js';

/** A request that a fault is about to meet. */
export interface Exchange {
  response: ServerResponse;
  /** Hands the request to the application. */
  process: () => void;
}

/** Makes faults happen. */
export class FaultPlayer {
  readonly #timers = new Timers();

  /** @param reset resets the connection of a response; the servers know how */
  constructor(private readonly reset: (response: ServerResponse) => void) {}

  /** Resolves when the fault is over, as far as the sandbox has a part in it. */
  async play(fault: SandboxFault, { response, process }: Exchange): Promise<void> {
    switch (fault.kind) {
      case 'latency':
        await this.#timers.wait(fault.ms);
        if (!response.destroyed) process();
        return;
      case 'trickle': {
        const reply = await captureReply(response, process);
        return trickle(response, reply, fault.ms, this.#timers);
      }
      case 'flood':
        return flood(response, fault.bytes);
      default: {
        const processed = fault.processed ? await captureReply(response, process) : undefined;
        this.#replace(fault, response, processed ?? UNPROCESSED_REPLY);
      }
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#timers.clear();
  }

  #replace(
    fault: Exclude<SandboxFault, { kind: 'latency' | 'trickle' | 'flood' }>,
    response: ServerResponse,
    reply: Reply,
  ): void {
    switch (fault.kind) {
      case 'hang':
        return;
      case 'reset':
        return this.reset(response);
      case 'truncate':
        return truncate(response, reply);
      case 'html':
        return sendReply(response, htmlReply(fault));
      case 'status':
        return sendReply(response, statusReply(fault));
      case 'answer':
        return sendReply(response, answerReply(fault));
    }
  }
}
