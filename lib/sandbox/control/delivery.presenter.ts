import type { ApiJson } from '../api-json.js';
import type { WebhookDelivery } from '../webhooks/delivery-log.js';

/** A delivery in the style of the API. */
export function presentDelivery(delivery: WebhookDelivery): ApiJson {
  const { id, kind, url, body, headers, tries, status, problem, delivered } = delivery;
  return {
    id,
    kind,
    url,
    body,
    headers,
    tries,
    status: status ?? null,
    problem: problem ?? null,
    delivered,
  };
}
