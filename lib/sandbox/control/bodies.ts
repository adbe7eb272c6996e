import { WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import { checkFault, type SandboxFault } from '../faults/fault.js';
import type { PendingFault } from '../faults/sandbox-faults.js';
import type { ApiJson } from '../http/api-json.js';
import { invalidRequest } from '../http/api-exception.js';
import { type JsonObject, parseWord, refuseUnknown } from '../http/request-body.js';
import type { RecordedRequest } from '../http/request-log.js';
import { problemOfWebhookUrl } from '../option-checks.js';
import type { WebhookDelivery } from '../webhooks/delivery-log.js';
import { type SignatureCheck, WEBHOOK_FAULTS, type WebhookFault } from '../webhooks/webhook.js';

/** The body of `POST /sandbox/clock`. */
export type ClockChange = { advanceMs: number } | { now: Date };

/** @throws {ApiException} 400 unless the body has exactly one of the two, with a valid time */
export function parseClockChange(body: JsonObject): ClockChange {
  const { advance_ms: advanceMs, now, ...unknown } = body;
  if ((advanceMs === undefined) === (now === undefined) || Object.keys(unknown).length > 0) {
    throw invalidRequest('Send either advance_ms or now, and nothing else.');
  }
  if (now === undefined) {
    if (typeof advanceMs === 'number') return { advanceMs };
    throw invalidRequest('advance_ms must be a number of milliseconds.');
  }
  const time = typeof now === 'string' || typeof now === 'number' ? new Date(now) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw invalidRequest(
      'now must be a date such as 2030-01-01T00:00:00Z, or milliseconds since 1970.',
    );
  }
  return { now: time };
}

/**
 * `times` may be the string `Infinity`, which JSON has no number for.
 *
 * @throws {TypeError} with the names of the body
 */
export function parseFault(body: JsonObject): SandboxFault {
  const fault = { ...body, ...(body.times === 'Infinity' && { times: Infinity }) };
  checkFault(fault, toSnakeCase);
  const members = Object.entries(fault).map(([name, value]) => [toCamelCase(name), value] as const);
  return Object.fromEntries(members) as unknown as SandboxFault;
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The body of `PUT /sandbox/webhooks`: a URL or null for each kind. */
export function parseWebhookUrls(body: JsonObject): [WebhookKind, string | undefined][] {
  return Object.entries(body).map(([kind, url]) => {
    const problem = url === null ? undefined : problemOfWebhookUrl(url);
    if (problem !== undefined) throw invalidRequest(`The URL for ${kind} ${problem}, or null.`);
    return [parseWord(WEBHOOK_KINDS, 'kind', kind), (url as string | null) ?? undefined];
  });
}

/** The body of `POST /sandbox/webhooks/test`. */
export function parseWebhookTest({ kind, ...unknown }: JsonObject): WebhookKind {
  refuseUnknown(unknown);
  return parseWord(WEBHOOK_KINDS, 'kind', kind);
}

/** The body of `POST /sandbox/webhooks/faults`. */
export function parseWebhookFault({ fault, kind, ...unknown }: JsonObject): {
  fault: WebhookFault;
  kind: WebhookKind | undefined;
} {
  refuseUnknown(unknown);
  return {
    fault: parseWord(WEBHOOK_FAULTS, 'fault', fault),
    kind: kind === undefined ? undefined : parseWord(WEBHOOK_KINDS, 'kind', kind),
  };
}

/** The body of `POST /sandbox/webhooks/deliveries/{id}/resend`. */
export function parseResend({ fault, ...unknown }: JsonObject): WebhookFault | undefined {
  refuseUnknown(unknown);
  return fault === undefined ? undefined : parseWord(WEBHOOK_FAULTS, 'fault', fault);
}

/** A request in the style of the API. */
export function presentRequest(request: RecordedRequest) {
  const { url, headers, body, response } = request;
  return {
    ...presentRequestSummary(request),
    url,
    headers,
    body,
    response: response ? { headers: { ...response.headers }, body: response.body } : null,
  };
}

/** The same without what may be large. */
export function presentRequestSummary(
  request: Omit<RecordedRequest, 'url' | 'headers' | 'body' | 'response'>,
): { readonly [name: string]: ApiJson } {
  return {
    id: request.id,
    method: request.method,
    path: request.path,
    received_at: request.receivedAt.toISOString(),
    status: request.status ?? null,
    duration_ms: request.durationMs ?? null,
    notes: request.notes,
    fault: request.fault ?? null,
  };
}

/** A fault with the members that `POST /sandbox/faults` accepts: JSON has no Infinity. */
export function presentFault(fault: PendingFault): ApiJson {
  const { times, probability = null, seed, endsAt, forMs: _, ...members } = fault;
  const named = Object.entries(members).map(([name, value]) => [toSnakeCase(name), value] as const);
  return {
    ...Object.fromEntries<ApiJson>(named),
    times: times === Infinity ? 'Infinity' : times,
    probability,
    seed: probability === null ? null : (seed ?? 1),
    ends_at: endsAt?.toISOString() ?? null,
  };
}

/** A delivery in the style of the API. */
export function presentDelivery(delivery: WebhookDelivery) {
  const { body, headers } = delivery;
  return { ...presentDeliverySummary(delivery), body, headers };
}

/** The same without what may be large. */
export function presentDeliverySummary(delivery: Omit<WebhookDelivery, 'headers' | 'body'>): {
  readonly [name: string]: ApiJson;
} {
  const { id, kind, url, attempts, status = null, problem = null, delivered } = delivery;
  return {
    id,
    kind,
    transaction_id: delivery.transactionId,
    customer_uid: delivery.customerUid,
    url,
    fault: delivery.fault ?? null,
    resend_of: delivery.resendOf ?? null,
    sent_at: delivery.sentAt?.toISOString() ?? null,
    attempts,
    status,
    problem,
    delivered,
  };
}

/** The check of a signature in the style of the API. */
export function presentSignature({ signedText, ...check }: SignatureCheck) {
  return { ...check, signed_text: signedText };
}
