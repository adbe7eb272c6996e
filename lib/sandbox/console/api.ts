// The control API at `/sandbox`, as far as the console needs it; docs/sandbox.md explains the members.

/** A transaction, as lists and events have it. */
export interface Transaction {
  id: string;
  customer_uid: string;
  mode: 'test' | 'live';
  kind: 'sdk' | 'hosted' | 'apiOnly';
  template_key: string;
  state: 'open' | 'completed';
  action: string | null;
  flags: string[] | null;
  fields: Record<string, string> | null;
  created_at: string;
  completed_at: string | null;
  purges_at: string;
  refresh_token: string;
  refresh_token_state: 'valid' | 'revoked';
  /** The number of the current refresh token; 0 is the first one. */
  generation: number;
}

/** A request that sent a refresh token. */
export interface Exchange {
  request_id: string;
  /** Which refresh token of the transaction was sent: 0 is the first one. */
  generation: number;
  user_agent: string | null;
  started_at: string;
  duration_ms: number | null;
  outcome: string;
  status: number | null;
  sent_token: string;
  overlaps: boolean;
  tokens_expire_at: string | null;
}

/** A transaction with the exchanges of its refresh tokens. */
export interface TransactionDetails extends Transaction {
  exchanges: Exchange[];
  tokens_expire_at: string | null;
  /** A permission to decide: redacted unless asked for. */
  page_path: string | null;
}

/** A request, as lists and events have it. */
export interface RequestSummary {
  id: string;
  method: string;
  path: string;
  received_at: string;
  status: number | null;
  duration_ms: number | null;
  /** Where the request departs from the documentation although it was accepted. */
  notes: string[];
  /** The kind of the fault that answered it, or delayed the answer. */
  fault: string | null;
}

/** A request with what was sent and answered. */
export interface RecordedRequest extends RequestSummary {
  url: string;
  headers: Headers;
  body: string;
  response: { headers: Headers; body: string } | null;
}

type Headers = Record<string, string | string[]>;

/** A webhook, as lists and events have it. */
export interface DeliverySummary {
  id: string;
  kind: string;
  customer_uid: string;
  /** The fault it was sent with. */
  fault: string | null;
  /** The first attempt; null before it. */
  sent_at: string | null;
  url: string;
  attempts: number;
  status: number | null;
  problem: string | null;
  delivered: boolean;
}

/** A webhook with what was sent; the signature is null if it has none. */
export interface Delivery extends DeliverySummary {
  body: string;
  headers: Record<string, string>;
  signature: {
    header: string;
    timestamp: number;
    signed_text: string;
    algorithm: string;
    expected: string;
  } | null;
}

/** A pending fault; the members of its kind come on top. */
export interface Fault {
  id: string;
  kind: string;
  method?: string;
  path?: string;
  times: number | 'Infinity';
  probability: number | null;
  seed: number | null;
  ends_at: string | null;
  [member: string]: unknown;
}

/** Where webhooks go; null where they are not sent. */
export interface WebhookUrls {
  finished: string | null;
  status: string | null;
}

/** What the control API answers to a request that it refuses. */
export class RefusedError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * Calls the control API. The path is relative to the page, which may have a prefix behind a proxy.
 *
 * @throws {RefusedError} with the message of the sandbox, or one that says that it is not there
 */
export async function call<Answer = void>(
  method: Method,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`sandbox/${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  }).catch(() => {
    throw new RefusedError('The sandbox does not answer. Is it still running?', 0);
  });
  const text = await response.text();
  const answer: unknown = text === '' ? undefined : parse(text);
  if (response.ok) return answer as Answer;
  const message = (answer as { message?: unknown } | undefined)?.message;
  throw new RefusedError(
    typeof message === 'string' ? message : `The sandbox answered ${response.status}.`,
    response.status,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
