import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { BerbixWebhookSignatureError } from '../errors/index.js';
import { SIGNATURE_VERSION } from '../wire/index.js';

/** The parsed signature header. */
export interface WebhookSignature {
  /** Unix seconds, exactly as sent, since they are signed too. */
  readonly timestamp: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hex: string;
}

/** Exactly three parts. Until the year 33658, no timestamp has more digits. */
const HEADER = new RegExp(`^${SIGNATURE_VERSION},([0-9]{1,12}),([0-9a-f]{64})$`);

/**
 * Buffers for the comparison, which are reused: two new ones would take a fifth of the time of the
 * HMAC.
 */
const [GIVEN, EXPECTED] = [Buffer.alloc(64), Buffer.alloc(64)];

/** Cached keys of the secrets; limited, since a function may return other secrets each time. */
const KEYS = new Map<string, KeyObject>();
const MAX_KEYS = 16;

/**
 * Parses the signature header.
 *
 * @param header from Node.js, which joins two headers of that name to one invalid text
 * @throws {BerbixWebhookSignatureError}
 */
export function readSignature(header: unknown): WebhookSignature {
  if (header === undefined || header === null || header === '') refuse('has no signature');
  if (typeof header !== 'string') refuse('has more than one signature header');
  const [, timestamp, hex] = HEADER.exec(header) ?? [];
  if (timestamp === undefined || hex === undefined) {
    refuse(
      `has a signature header that is not ${SIGNATURE_VERSION},<unix seconds>,<64 hex digits>`,
    );
  }
  return { timestamp, hex };
}

/**
 * Checks a signature, and then its age. So a webhook that is refused as too old is from Berbix, but
 * late or replayed.
 *
 * @param rawBody the unchanged bytes
 * @param secrets any of which may match
 * @param now milliseconds since 1970
 * @throws {BerbixWebhookSignatureError}
 */
export function checkSignature(
  { timestamp, hex }: WebhookSignature,
  rawBody: Uint8Array,
  secrets: readonly string[],
  now: number,
  toleranceMs: number,
): void {
  GIVEN.write(hex, 'latin1');
  let isMatch = false;
  for (const secret of secrets) {
    EXPECTED.write(computeHmac(secret, timestamp, rawBody), 'latin1');
    // Compare first, so that every secret is tried.
    isMatch = timingSafeEqual(EXPECTED, GIVEN) || isMatch;
  }
  if (!isMatch) refuse('has a signature that matches none of the secrets');
  const ageMs = now - Number(timestamp) * 1000;
  if (ageMs > toleranceMs) refuse(`was signed more than ${toleranceMs} ms ago`);
  // Negated, so that NaN does not pass.
  if (!(ageMs >= -toleranceMs)) {
    refuse(`was signed more than ${toleranceMs} ms in the future; check the clock of this machine`);
  }
}

/**
 * Makes the value of the signature header.
 *
 * @param timestamp Unix seconds
 * @param body the bytes to send; a string is encoded as UTF-8
 */
export function signBody(secret: string, timestamp: number, body: string | Uint8Array): string {
  return `${SIGNATURE_VERSION},${timestamp},${computeHmac(secret, String(timestamp), body)}`;
}

/** The secret is both the key and a part of the signed text. [sdk: all] */
function computeHmac(secret: string, timestamp: string, body: string | Uint8Array): string {
  return createHmac('sha256', cachedKey(secret))
    .update(`${timestamp},${secret},`)
    .update(body)
    .digest('hex');
}

function cachedKey(secret: string): KeyObject {
  let key = KEYS.get(secret);
  if (key === undefined) {
    if (KEYS.size >= MAX_KEYS) KEYS.clear();
    key = createSecretKey(secret, 'utf8');
    KEYS.set(secret, key);
  }
  return key;
}

function refuse(problem: string): never {
  throw new BerbixWebhookSignatureError(`The webhook ${problem}.`);
}
