import type { BerbixSandbox } from '../sandbox/berbix-sandbox.js';
import type { RecordedRequest } from '../sandbox/http/request-log.js';
import type { WebhookDelivery } from '../sandbox/webhooks/delivery-log.js';
import { MAX_ATTEMPTS } from '../sandbox/webhooks/webhook-sender.js';

/**
 * Prints a line for each request and each failed attempt of a webhook, on standard error, since programs
 * read standard output.
 */
export function printActivity(sandbox: BerbixSandbox): void {
  sandbox.requests.onEnd((request) => print(requestLine(request)));
  sandbox.deliveries.onAttempt((delivery) => {
    if (!delivery.delivered) print(failedAttemptLine(delivery));
  });
  if (!process.stderr.listeners('error').includes(continueWithoutReader)) {
    process.stderr.on('error', continueWithoutReader);
  }
}

/** The reader of the lines has gone; the sandbox continues. */
function continueWithoutReader(): void {}

/** Drops lines that nobody reads instead of keeping them in memory. */
function print(line: string): void {
  if (!process.stderr.writableNeedDrain) process.stderr.write(`${line}\n`);
}

/** `POST /v0/tokens 200 12 ms` */
export function requestLine({ method, path, status, durationMs }: RecordedRequest): string {
  return `${method} ${maskedPath(path)} ${status ?? 'no answer'} ${durationMs} ms`;
}

/** `webhook finished to http://127.0.0.1:3000/hook failed: ECONNREFUSED (attempt 1 of 5)` */
export function failedAttemptLine({
  kind,
  url,
  status,
  problem,
  attempts,
}: Pick<WebhookDelivery, 'kind' | 'url' | 'status' | 'problem' | 'attempts'>): string {
  const { origin, pathname } = new URL(url);
  const target = origin + maskedPath(pathname);
  return `webhook ${kind} to ${target} failed: ${status ?? problem} (attempt ${attempts} of ${MAX_ATTEMPTS})`;
}

/** A word, or a version such as `v0`. Tokens, secrets and ids have digits or are longer. */
const WORD = /^(?:[a-z_-]{0,24}|v\d)$/;

/** An unknown path may contain anything, even a token. */
function maskedPath(path: string): string {
  return path
    .split('/')
    .map((part) => (WORD.test(part) ? part : '***'))
    .join('/');
}
