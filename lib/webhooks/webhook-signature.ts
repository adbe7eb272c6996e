import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { BerbixWebhookSignatureError } from '../errors/index.js';
import { SIGNATURE_VERSION } from '../wire/index.js';

/** The parts of the signature header that are not constant. */
export interface WebhookSignature {
  /** Unix seconds, as they were sent: they are part of what is signed. */
  readonly timestamp: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hex: string;
}

/** Three parts and nothing else. No timestamp has more digits before the year 33658. */
const HEADER = new RegExp(`^${SIGNATURE_VERSION},([0-9]{1,12}),([0-9a-f]{64})$`);

/** What is compared; used again each time, since two new buffers take as long as a fifth of the HMAC. */
const [GIVEN, EXPECTED] = [Buffer.alloc(64), Buffer.alloc(64)];

/** Secrets made ready, so many at most: a function may give others each time. */
const KEYS = new Map<string, KeyObject>();
const MAX_KEYS = 16;

/**
 * Reads the signature header.
 *
 * @param header as node has it: two headers of that name come as one text, and are no signature
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
 * Checks a signature, then its age: what is said to be too old is from Berbix, sent late or replayed.
 *
 * @param rawBody the bytes as they came
 * @param secrets tried all, whichever fits
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
  let fits = false;
  for (const secret of secrets) {
    EXPECTED.write(hexOf(secret, timestamp, rawBody), 'latin1');
    // The comparison comes first, so that none is left out.
    fits = timingSafeEqual(EXPECTED, GIVEN) || fits;
  }
  if (!fits) refuse('has a signature that fits none of the secrets');
  const ageMs = now - Number(timestamp) * 1000;
  if (ageMs > toleranceMs) refuse(`was signed more than ${toleranceMs} ms ago`);
  // Put so that an age that is not a number does not pass.
  if (!(ageMs >= -toleranceMs)) {
    refuse(`was signed more than ${toleranceMs} ms in the future; check the clock of this machine`);
  }
}

/**
 * The value of the signature header.
 *
 * @param timestamp Unix seconds
 * @param body the bytes as they are sent; a string stands for its UTF-8
 */
export function signatureOf(secret: string, timestamp: number, body: string | Uint8Array): string {
  return `${SIGNATURE_VERSION},${timestamp},${hexOf(secret, String(timestamp), body)}`;
}

/** The secret is both the key and a part of what is signed. [sdk: all] */
function hexOf(secret: string, timestamp: string, body: string | Uint8Array): string {
  return createHmac('sha256', keyOf(secret))
    .update(`${timestamp},${secret},`)
    .update(body)
    .digest('hex');
}

function keyOf(secret: string): KeyObject {
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
