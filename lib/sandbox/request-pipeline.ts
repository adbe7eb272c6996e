import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { READABLE } from '../wire/index.js';
import type { SandboxClock } from './clock.js';
import type { FaultPlayer } from './faults/fault-player.js';
import type { SandboxFaults } from './faults/sandbox-faults.js';
import { beforeHead, setCommonHeaders } from './http/common-headers.js';
import { errorReply, sendReply } from './http/send-reply.js';
import { ApiException } from './http/api-exception.js';
import {
  isOpenToPages,
  isPagePath,
  isSandboxPath,
  parseRequestPath,
  type RequestPath,
} from './http/paths.js';
import { bodyOf, readBody } from './http/request-body.js';
import type { RequestGate } from './http/request-gate.js';
import { attachRecord, type OpenRecord, type RequestLog } from './http/request-log.js';
import { ResponseRecorder } from './http/response-recorder.js';
import { lintRequest } from './openapi/lint.js';

const ALLOW_ORIGIN = 'access-control-allow-origin';

const TOO_LARGE = new ApiException(
  413,
  READABLE.payloadTooLarge,
  'The body is larger than 20 MiB. Send less.',
);

/**
 * The way of every request before Nest gets it: common headers, the gate, then for the API the log,
 * the body, and a fault if one is pending.
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

  /** Handles a request of either server. */
  readonly listener: RequestListener = (request, response) => {
    const target = parseRequestPath(request.url ?? '/');
    const id = randomUUID();
    setCommonHeaders(response, isPagePath(target.path), id);
    const refusal = this.gate.refusalOf(request, target.path);
    if (refusal) return sendReply(response, errorReply(refusal));
    const handled = isSandboxPath(target.path)
      ? this.#handleSandbox(request, response, target)
      : this.#handleApi(request, response, target, id);
    // The state of the connection is unknown: close it rather than let the client wait.
    handled.catch(() => response.destroy());
  };

  async #handleSandbox(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query }: RequestPath,
  ): Promise<void> {
    request.url = path + query;
    if (await this.#readBody(request, response)) this.application(request, response);
  }

  async #handleApi(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query }: RequestPath,
    id: string,
  ): Promise<void> {
    const record = this.#record(request, path, id);
    const arrivedAt = performance.now();
    const recorder = new ResponseRecorder(response);
    beforeHead(response, () => {
      record.status = response.statusCode;
      // Refusals and faults too, which a page could not read otherwise.
      // ASSUMPTION: the real API knows the domains of the account. [doc: docs/settings]
      if (isOpenToPages(path) && !response.hasHeader(ALLOW_ORIGIN)) {
        response.setHeader(ALLOW_ORIGIN, '*');
      }
    });
    response.once('close', () => {
      const durationMs = Math.round(performance.now() - arrivedAt);
      record.notes = lintRequest(record);
      this.log.end(record, recorder.read(), durationMs, response.writableFinished);
    });
    // Taken on arrival, so that the size of a body does not change which request has the fault.
    const fault = this.faults.take(record.method, path);
    request.url = path + query;
    if (!(await this.#readBody(request, response))) return;
    this.log.complete(record, bodyOf(request));
    const process = () => this.application(request, response);
    if (!fault) return process();
    record.fault = fault.kind;
    await this.player.play(fault, { response, process });
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
      notes: [],
      fault: undefined,
      response: undefined,
    };
    this.log.add(record);
    attachRecord(request, record);
    return record;
  }

  /** Whether to go on; otherwise it has answered, or the client has gone. */
  async #readBody(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const outcome = await readBody(request);
    if (outcome === 'too-large') sendReply(response, errorReply(TOO_LARGE));
    return outcome === 'ok';
  }
}
