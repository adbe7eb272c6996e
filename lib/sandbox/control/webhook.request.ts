import { WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import { invalidRequest } from '../errors/api.exception.js';
import type { JsonObject } from '../requests/fields.js';
import { WEBHOOK_FAULTS, type WebhookFault } from '../webhooks/webhook-fault.js';
import { problemOfUrl } from '../webhooks/webhook.settings.js';

/** What `PUT /sandbox/webhooks` asks for: a URL for each of the kinds that are named. */
export function parseWebhookUrls(body: JsonObject): [WebhookKind, string | undefined][] {
  return Object.entries(body).map(([kind, url]) => {
    const problem = url === null ? undefined : problemOfUrl(url);
    if (problem !== undefined) throw invalidRequest(`The URL for ${kind} ${problem}, or null.`);
    return [oneOf(WEBHOOK_KINDS, 'kind', kind), (url as string | null) ?? undefined];
  });
}

/** What `POST /sandbox/webhooks/test` asks for. */
export function parseWebhookTest({ kind, ...unknown }: JsonObject): WebhookKind {
  refuse(unknown);
  return oneOf(WEBHOOK_KINDS, 'kind', kind);
}

/** What `POST /sandbox/webhooks/faults` asks for. */
export function parseWebhookFault({ fault, kind, ...unknown }: JsonObject): {
  fault: WebhookFault;
  kind: WebhookKind | undefined;
} {
  refuse(unknown);
  return {
    fault: oneOf(WEBHOOK_FAULTS, 'fault', fault),
    kind: kind === undefined ? undefined : oneOf(WEBHOOK_KINDS, 'kind', kind),
  };
}

function oneOf<Word extends string>(words: readonly Word[], name: string, value: unknown): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw invalidRequest(`The ${name} must be one of ${words.join(', ')}.`);
  return word;
}

function refuse(unknown: JsonObject): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw invalidRequest(`"${name}" is not known here.`);
}
