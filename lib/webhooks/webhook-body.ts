import { isUtf8 } from 'node:buffer';
import { BerbixWebhookBodyError } from '../errors/index.js';
import { parseJson } from '../http/json.js';
import { WireReader } from '../http/index.js';
import type { WebhookKind } from '../wire/index.js';
import { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';

/**
 * Reads the body of a webhook whose signature is good.
 *
 * @throws {BerbixWebhookBodyError} that names the field, never with a value
 */
export function readWebhook(kind: WebhookKind, rawBody: Uint8Array): BerbixWebhookDto {
  const body = parse(rawBody);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw unexpected('it is not a JSON object');
  }
  const reader = new WireReader(body as Record<string, unknown>);
  const webhook = BerbixWebhookDto.fromWire(kind, reader);
  if (reader.problems.length > 0) throw unexpected(reader.problems.join('; '));
  return webhook;
}

function parse(rawBody: Uint8Array): unknown {
  if (!isUtf8(rawBody)) throw unexpected('it is not UTF-8');
  const { buffer, byteOffset, byteLength } = rawBody;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  try {
    return parseJson(text);
  } catch {
    // The parser's own message quotes the body.
    throw unexpected('it is not JSON');
  }
}

function unexpected(problem: string): BerbixWebhookBodyError {
  return new BerbixWebhookBodyError(
    `The webhook is signed, but its body is not what Berbix promises: ${problem}.`,
  );
}
