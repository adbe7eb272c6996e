import type { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import type { RecordedRequest } from '../sandbox/requests/request-log.js';
import type { WebhookDelivery } from '../sandbox/webhooks/delivery-log.js';
import { MOST_TRIES } from '../sandbox/webhooks/webhook-sender.js';

/**
 * Prints one line for each request and for each try of a webhook that failed, on standard error:
 * what is on standard output is for programs too.
 */
export function printActivity(sandbox: BerbixSandbox): void {
  sandbox.requests.onEnd((request) => print(requestLine(request)));
  sandbox.deliveries.onTry((delivery) => {
    if (!delivery.delivered) print(failedTryLine(delivery));
  });
  // The reader is gone; the sandbox goes on.
  process.stderr.on('error', () => undefined);
}

/** Drops lines that are not read, rather than keep them in memory. */
function print(line: string): void {
  if (!process.stderr.writableNeedDrain) process.stderr.write(`${line}\n`);
}

/** `POST /v0/tokens 200 12 ms` */
export function requestLine({ method, path, status, durationMs }: RecordedRequest): string {
  return `${method} ${maskedPath(path)} ${status ?? 'no answer'} ${durationMs} ms`;
}

/** `webhook finished to http://127.0.0.1:3000/hook failed: ECONNREFUSED (try 1 of 5)` */
export function failedTryLine({ kind, url, status, problem, tries }: WebhookDelivery): string {
  const { origin, pathname } = new URL(url);
  const target = origin + maskedPath(pathname);
  return `webhook ${kind} to ${target} failed: ${status ?? problem} (try ${tries} of ${MOST_TRIES})`;
}

/** A word, or a version such as `v0`; tokens, secrets and ids have digits or are longer. */
const WORD = /^(?:[a-z_-]{0,24}|v\d)$/;

/** A path that the API does not have may contain anything. */
function maskedPath(path: string): string {
  return path
    .split('/')
    .map((part) => (WORD.test(part) ? part : '***'))
    .join('/');
}
