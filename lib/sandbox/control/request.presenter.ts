import type { ApiJson } from '../api-json.js';
import type { RecordedRequest } from '../requests/request-log.js';

/** A record of the log in the style of the API. */
export function presentRequest(request: RecordedRequest): ApiJson {
  return {
    id: request.id,
    method: request.method,
    path: request.path,
    url: request.url,
    headers: request.headers,
    body: request.body,
    received_at: request.receivedAt.toISOString(),
    status: request.status ?? null,
    duration_ms: request.durationMs ?? null,
  };
}
