import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { READABLE } from '../../wire/index.js';
import { ApiException, invalidRequest } from '../errors/api.exception.js';
import type { FaultPlayer } from '../faults/fault-player.js';
import { errorReply, sendReply } from '../faults/reply.js';
import type { SandboxFaults } from '../faults/sandbox-faults.js';
import type { SandboxClock } from '../sandbox-clock.js';
import { openToPages } from './cross-origin.js';
import { bodyOf, readBody } from './request-body.js';
import type { OpenRecord, RequestLog } from './request-log.js';
import type { RequestGate } from './request-gate.js';
import {
  isControlPath,
  isDecodable,
  isPagePath,
  parseRequestPath,
  type RequestPath,
} from './request-path.js';
import { beforeHead, setCommonHeaders } from './response-headers.js';

/** Answers a request of node; what both servers and both adapters have in common. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * What every request passes before Nest sees it: the gate, the log, its body, and a fault if one
 * waits for it.
 */
export class RequestPipeline {
  constructor(
    private readonly gate: RequestGate,
    private readonly log: RequestLog,
    private readonly faults: SandboxFaults,
    private readonly player: FaultPlayer,
    private readonly clock: SandboxClock,
    private readonly application: RequestListener,
  ) {}

  /** Takes a request from a server of node. */
  readonly listener: RequestListener = (request, response) => {
    const target = parseRequestPath(request.url ?? '/');
    const id = randomUUID();
    setCommonHeaders(response, isPagePath(target.path), id);
    const refusal = this.#refusalOf(request, target);
    if (refusal) return sendReply(response, errorReply(refusal));
    const answered = isControlPath(target.path)
      ? this.#control(request, response)
      : this.#api(request, response, target, id);
    // What is left is a connection in an unknown state: end it rather than let the client wait.
    answered.catch(() => response.destroy());
  };

  #refusalOf(request: IncomingMessage, { path }: RequestPath): ApiException | undefined {
    if (!isDecodable(path)) return invalidRequest('The path of the URL is malformed.');
    return this.gate.refusalOf(request, path);
  }

  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await this.#hasBody(request, response)) this.application(request, response);
  }

  async #api(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query }: RequestPath,
    id: string,
  ): Promise<void> {
    const record = this.#record(request, path, id);
    const arrivedAt = performance.now();
    beforeHead(response, () => (record.status = response.statusCode));
    response.once('close', () => this.log.end(record, Math.round(performance.now() - arrivedAt)));
    // Chosen on arrival: faults go by the order in which requests come, not by the size of bodies.
    const fault = this.faults.take(record.method, path);
    request.url = path + query;
    openToPages(path, response);
    if (!(await this.#hasBody(request, response))) return;
    this.log.complete(record, bodyOf(request));
    const process = () => this.application(request, response);
    await (fault ? this.player.play(fault, { response, process }) : process());
  }

  #record(request: IncomingMessage, path: string, id: string): OpenRecord {
    const record: OpenRecord = {
      id,
      method: request.method ?? '',
      path,
      url: request.url ?? '',
      headers: { ...request.headers },
      body: '',
      receivedAt: new Date(this.clock.now()),
      status: undefined,
      durationMs: undefined,
    };
    this.log.add(record);
    return record;
  }

  async #hasBody(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const outcome = await readBody(request);
    if (outcome === 'too-large') sendReply(response, errorReply(TOO_LARGE));
    return outcome === 'ok';
  }
}

const TOO_LARGE = new ApiException(
  413,
  READABLE.payloadTooLarge,
  'The body is larger than 20 MiB. Send less.',
);
