/** A call of the API. */
export interface BerbixRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From `API_PATHS`. */
  path: string;
  /**
   * Sent as JSON; bytes must already be JSON, of an upload. What it says of a person is removed from
   * errors of the API that quote it: see `redaction.ts`.
   */
  body?: object;
  /** An access or client token, sent as Bearer. Without it, the API secret is sent as Basic. */
  bearer?: string;
  /**
   * Replaces both time limits of the options, in milliseconds. Such calls may take minutes, so they
   * share a part of the connections and do not block other calls.
   */
  timeoutMs?: number;
  /**
   * Identifies the transaction or customer of the call: any text that is the same in their next
   * call. Failures of only one of them say little about the health of the API.
   */
  subject?: string;
  /** The secrets in the body; removed from errors of the API that quote them. */
  secrets?: readonly string[];
  /**
   * When the request may be repeated after a transient failure:
   * - `always`: doing it twice is harmless;
   * - `unless-done`: only if the API cannot have acted on it, because nothing was sent or the
   *   answer was 429.
   */
  repeat: 'always' | 'unless-done';
}

/** A 2xx answer. */
export interface BerbixAnswer {
  /** 2xx. */
  status: number;
  /** The JSON object of the body; undefined if the body is empty. */
  body: Record<string, unknown> | undefined;
  /** When the answered request was started, in milliseconds since 1970. */
  startedAt: number;
  /** The request id of the API, if the answer has one. */
  requestId?: string | undefined;
}
