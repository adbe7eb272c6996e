/** One call of the API, as the services describe it. */
export interface BerbixRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From `API_PATHS`. */
  path: string;
  /** Sent as JSON; bytes are JSON already. */
  body?: object;
  /** Access or client token, sent as Bearer; without it the API secret is sent as Basic. */
  bearer?: string;
  /**
   * Instead of the times of the options, in milliseconds, for one attempt and for the whole call. Calls
   * with a time of their own share a part of the connections, so that they do not keep the others waiting.
   */
  timeoutMs?: number;
  /**
   * The transaction or customer that the call is about, by whatever is the same in their next call. The
   * failures of one say little about the health of the API.
   */
  subject?: string;
  /** Secrets in the body; struck out should the API quote one in an error. */
  secrets?: readonly string[];
  /**
   * When the same request may be sent again after a failure that could pass:
   * - `always`: doing it twice does no harm;
   * - `unless-done`: only where the API cannot have acted on it, that is when nothing was sent or
   *   it answered 429.
   */
  repeat: 'always' | 'unless-done';
}

/** A 2xx answer. */
export interface BerbixAnswer {
  /** The JSON object of the body; undefined where the body is empty. */
  body: Record<string, unknown> | undefined;
  /** When the request that was answered was started, in milliseconds since 1970. */
  startedAt: number;
  /** The API's id of the request, where it gave one. */
  requestId?: string | undefined;
}
