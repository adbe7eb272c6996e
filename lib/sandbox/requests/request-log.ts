import type { IncomingHttpHeaders } from 'node:http';

/** One request as it arrived. */
export interface RecordedRequest {
  /** What the answer has as `x-request-id`, unless a fault says something else. */
  readonly id: string;
  readonly method: string;
  /** The path that was routed: without a query, and without what a base URL may put before `/v0`. */
  readonly path: string;
  /** The request target as it arrived. */
  readonly url: string;
  /** Names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The raw body; empty as long as it has not arrived as a whole. */
  readonly body: string;
  /** When the head of the request arrived, by the clock of the sandbox. */
  readonly receivedAt: Date;
  /** The status that went out; `undefined` as long as, or because, there was none. */
  readonly status: number | undefined;
  /** Milliseconds until the answer, or the connection, had ended; `undefined` until then. */
  readonly durationMs: number | undefined;
}

/** A record that the sandbox still writes to. @internal */
export type OpenRecord = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] };

const MOST_REQUESTS = 1000;
/** Bodies may be as large as images; this many characters of them are kept at most. */
const MOST_BODY_CHARACTERS = 64 * 1024 * 1024;

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
  readonly #listeners: ((request: RecordedRequest) => void)[] = [];

  /** How many there are. */
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

  /** Those with this method and path. */
  to(method: string, path: string): RecordedRequest[] {
    return this.#records.filter((record) => record.method === method && record.path === path);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#records = [];
    this.#bodyCharacters = 0;
  }

  /** What `JSON.stringify` shows: the records. */
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
    // It may have been dropped, or the log cleared, while the body was on its way.
    if (!this.#records.includes(record)) return;
    this.#bodyCharacters += body.length;
    this.#trim();
  }

  /** Calls the listener when a request has its answer, or will have none. @internal */
  onEnd(listener: (request: RecordedRequest) => void): void {
    this.#listeners.push(listener);
  }

  /** @internal */
  end(record: OpenRecord, durationMs: number): void {
    record.durationMs = durationMs;
    for (const listener of this.#listeners) listener(record);
  }

  #trim(): void {
    while (this.#records.length > MOST_REQUESTS || this.#bodyCharacters > MOST_BODY_CHARACTERS) {
      this.#bodyCharacters -= this.#records.shift()?.body.length ?? 0;
    }
  }
}
