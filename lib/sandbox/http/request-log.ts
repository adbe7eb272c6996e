import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { rawRequestOf } from './request-body.js';
import type { RecordedResponse } from './response-recorder.js';

/** One request and its answer. */
export interface RecordedRequest {
  /** The `x-request-id` of the answer, unless a fault changed it. */
  readonly id: string;
  readonly method: string;
  /** The routed path: without a query, and without the part of a base URL before `/v0`. */
  readonly path: string;
  /** The request target as it arrived. */
  readonly url: string;
  /** Names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The raw body; empty until all of it has arrived. */
  readonly body: string;
  /** When the head of the request arrived, by the clock of the sandbox. */
  readonly receivedAt: Date;
  /** The status of the answer; `undefined` without an answer. */
  readonly status: number | undefined;
  /** Milliseconds until the answer or the connection ended; `undefined` until then. */
  readonly durationMs: number | undefined;
  /** Where the request departs from the API as documented, although it was accepted, in sentences. */
  readonly notes: readonly string[];
  /** The kind of the fault that replaced or delayed the answer, such as `latency`. */
  readonly fault: string | undefined;
  /** `undefined` until the answer or the connection ended, and without an answer. */
  readonly response: RecordedResponse | undefined;
}

/** A record that the sandbox still writes to. @internal */
export type OpenRecord = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] };

const records = new WeakMap<IncomingMessage, RecordedRequest>();

/** Makes the record known to the handler of the request. */
export function attachRecord(request: IncomingMessage, record: RecordedRequest): void {
  records.set(request, record);
}

/** The record of the request to a handler. */
export const Recorded = createParamDecorator((_: unknown, context: ExecutionContext) =>
  records.get(rawRequestOf(context)),
);

/** Called with a record, and whether all of the answer was sent. */
type EndListener = (request: RecordedRequest, answered: boolean) => void;

const MAX_REQUESTS = 1000;
/** Limit for all bodies together, since a body may contain images. */
const MAX_BODY_CHARACTERS = 64 * 1024 * 1024;

/**
 * The last 1000 requests to the API, oldest first.
 *
 * @example
 * const [exchange] = sandbox.requests.to('POST', '/v0/tokens');
 * expect(exchange.headers.authorization).toMatch(/^Basic /);
 */
export class RequestLog implements Iterable<RecordedRequest> {
  #records: OpenRecord[] = [];
  #bodyCharacters = 0;
  readonly #bodyListeners: ((request: RecordedRequest) => void)[] = [];
  readonly #endListeners: EndListener[] = [];

  /** The number of requests. */
  get length(): number {
    return this.#records.length;
  }

  /** The latest, if any. */
  get last(): RecordedRequest | undefined {
    return this.#records.at(-1);
  }

  [Symbol.iterator](): Iterator<RecordedRequest> {
    return this.#records.values();
  }

  /** The request with this id: the `x-request-id` of its answer. */
  find(id: string): RecordedRequest | undefined {
    return this.#records.find((record) => record.id === id);
  }

  /** The requests with this method and path. */
  to(method: string, path: string): RecordedRequest[] {
    return this.#records.filter((record) => record.method === method && record.path === path);
  }

  /** Empties the log. */
  clear(): void {
    this.#records = [];
    this.#bodyCharacters = 0;
  }

  /** The records, for `JSON.stringify`. */
  toJSON(): readonly RecordedRequest[] {
    return this.#records;
  }

  /** @internal */
  add(record: OpenRecord): void {
    this.#records.push(record);
    this.#trim();
  }

  /** @internal */
  complete(record: OpenRecord, body: string): void {
    record.body = body;
    for (const listener of this.#bodyListeners) listener(record);
    this.#count(record, body.length);
  }

  /** Calls the listener when a body has arrived, before the request is processed. @internal */
  onBody(listener: (request: RecordedRequest) => void): void {
    this.#bodyListeners.push(listener);
  }

  /** Calls the listener when an answer or its connection has ended. @internal */
  onEnd(listener: EndListener): void {
    this.#endListeners.push(listener);
  }

  /** @internal */
  end(
    record: OpenRecord,
    response: RecordedResponse | undefined,
    durationMs: number,
    answered: boolean,
  ): void {
    record.response = response;
    record.durationMs = durationMs;
    this.#count(record, response?.body.length ?? 0);
    for (const listener of this.#endListeners) listener(record, answered);
  }

  /** The record may have been dropped, or the log cleared, before it was complete. */
  #count(record: OpenRecord, characters: number): void {
    if (!this.#records.includes(record)) return;
    this.#bodyCharacters += characters;
    this.#trim();
  }

  #trim(): void {
    while (this.#records.length > MAX_REQUESTS || this.#bodyCharacters > MAX_BODY_CHARACTERS) {
      const dropped = this.#records.shift();
      this.#bodyCharacters -= dropped ? bodyCharactersOf(dropped) : 0;
    }
  }
}

function bodyCharactersOf({ body, response }: RecordedRequest): number {
  return body.length + (response?.body.length ?? 0);
}
