import type { ApiJson } from '../api-json.js';

/** Which requests a fault is for, and how many of them. */
export interface FaultTarget {
  /** Only requests with this method, such as `POST`. */
  method?: string | undefined;
  /** Only requests to this path, such as `/v0/tokens`. */
  path?: string | undefined;
  /**
   * For how many requests; `Infinity` for all of them until `clear()`.
   * @default 1
   */
  times?: number | undefined;
}

/** For faults that take the answer away. */
export interface Processable {
  /**
   * Let the request be processed first, and lose only the answer: with a rotated refresh token that
   * is the worst moment to fail.
   * @default false
   */
  processed?: boolean | undefined;
}

/** Answer later, by `ms` milliseconds. */
export interface LatencyFault extends FaultTarget {
  kind: 'latency';
  ms: number;
}

/** Reset the connection (RST) instead of answering. */
export interface ResetFault extends FaultTarget, Processable {
  kind: 'reset';
}

/** Never answer; the connection stays open until the client or the sandbox closes it. */
export interface HangFault extends FaultTarget, Processable {
  kind: 'hang';
}

/** The true answer: its head immediately, then one byte of its body every `ms` milliseconds. */
export interface TrickleFault extends FaultTarget {
  kind: 'trickle';
  ms: number;
}

/** 200 with a body of `bytes` bytes that begins like JSON, as fast as the client reads. */
export interface FloodFault extends FaultTarget {
  kind: 'flood';
  bytes: number;
}

/** An answer that declares its full length, and ends with the connection at half of it. */
export interface TruncateFault extends FaultTarget, Processable {
  kind: 'truncate';
}

/** An HTML error page, as proxies write them. */
export interface HtmlFault extends FaultTarget, Processable {
  kind: 'html';
  /**
   * 400 to 599.
   * @default 502
   */
  status?: number | undefined;
}

/** An error in the shape of the API. */
export interface StatusFault extends FaultTarget, Processable {
  kind: 'status';
  /** 400 to 599. */
  status: number;
  /** Seconds, or an HTTP date: what the `Retry-After` header says. */
  retryAfter?: number | string | undefined;
  readable?: string | undefined;
  message?: string | undefined;
}

/** Any answer: a JSON value, or a string that is sent as it is. */
export interface AnswerFault extends FaultTarget, Processable {
  kind: 'answer';
  /** @default 200 */
  status?: number | undefined;
  /** Further headers, such as the `location` of a redirect. */
  headers?: Record<string, string> | undefined;
  body: ApiJson;
}

/** What can go wrong on purpose. */
export type SandboxFault =
  | LatencyFault
  | ResetFault
  | HangFault
  | TrickleFault
  | FloodFault
  | TruncateFault
  | HtmlFault
  | StatusFault
  | AnswerFault;
