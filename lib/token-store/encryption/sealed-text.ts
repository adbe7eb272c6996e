import { BerbixStoreError } from '../../errors/index.js';

/** Encrypts and decrypts texts, each bound to the key of its record (I13). */
export interface RecordCipher {
  seal(key: string, text: string): Promise<string>;
  open(key: string, sealed: string): Promise<string>;
}

/** Length of the GCM nonce in bytes; it is random for each value. */
export const IV_BYTES = 12;
/** Length of the GCM authentication tag in bytes. */
export const TAG_BYTES = 16;
/** The name of the format, at the start of the text and of the authenticated data. */
export const FORMAT = 'b1';

const PLAINTEXT_PREFIX = 'clear.';

/** The parts of a sealed text. */
export interface SealedParts {
  readonly keyId: string;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** `b1.<key id>.<base64url of nonce, ciphertext and tag>` */
export function sealedText({ keyId, iv, ciphertext, tag }: SealedParts): string {
  return `${FORMAT}.${keyId}.${Buffer.concat([iv, ciphertext, tag]).toString('base64url')}`;
}

/** The parts of a sealed text; undefined if it is not exactly as {@link sealedText} writes it. */
export function parseSealed(text: string): SealedParts | undefined {
  const [, keyId, encoded] = /^b1\.([\w-]{1,64})\.([\w-]+)$/.exec(text) ?? [];
  if (keyId === undefined || encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64url');
  // I13: several texts decode to the same bytes; only one of them is what `sealedText` writes.
  if (bytes.toString('base64url') !== encoded) return undefined;
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  return {
    keyId,
    iv: bytes.subarray(0, IV_BYTES),
    ciphertext: bytes.subarray(IV_BYTES, -TAG_BYTES),
    tag: bytes.subarray(-TAG_BYTES),
  };
}

/** A value that is not encrypted, marked as such. */
export function plaintextValue(text: string): string {
  return `${PLAINTEXT_PREFIX}${text}`;
}

/** The argument of {@link plaintextValue}; undefined for any other text. */
export function parsePlaintext(text: string): string | undefined {
  return text.startsWith(PLAINTEXT_PREFIX) ? text.slice(PLAINTEXT_PREFIX.length) : undefined;
}

/** The error for a value that no cipher has written. */
export function unknownForm(): BerbixStoreError {
  return new BerbixStoreError(
    'A stored value is not in a format that this package writes: it was changed, or something else wrote it.',
  );
}

/** The id of the key that a stored value is sealed with; `none` for plaintext. */
export function encryptionKeyOf(stored: string): string {
  if (parsePlaintext(stored) !== undefined) return 'none';
  return parseSealed(stored)?.keyId ?? 'unreadable';
}
