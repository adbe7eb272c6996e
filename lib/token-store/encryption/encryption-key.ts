import { createSecretKey, KeyObject } from 'node:crypto';

/** Bytes of a key of AES-256. */
const KEY_BYTES = 32;

/** Fewer than 17 distinct bytes among 32 random ones are rarer than one in ten trillion. */
const DIFFERENT_BYTES = 17;

/** The advice at the end of messages. */
export const MAKE_A_KEY = 'Generate a key with: openssl rand -base64 32';

/** Whether this can be the id of a key, which a sealed value contains in plaintext. */
export function isKeyId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id);
}

/** An id for a message, unless it could be a misplaced key (I10). */
export function shownKeyId(id: string): string {
  return isKeyId(id) && id.length < 40 ? `"${id}"` : 'with a long or malformed id';
}

/**
 * Reads a key, and rejects keys that are weak by mistake.
 *
 * @returns the key as an object that does not print it, or the problem, without the key
 */
export function readKey(key: unknown): KeyObject | string {
  if (typeof key === 'string') return textProblem(key) ?? checked(Buffer.from(key, 'base64'));
  if (key instanceof Uint8Array) return checked(key);
  if (key instanceof KeyObject && key.type === 'secret') return checked(key.export());
  if (key === undefined || key === null) return 'is missing';
  return 'is neither base64 text nor bytes';
}

function textProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (/^\s|\s$/.test(text)) return 'has a space or a line break around it';
  if (/^[\da-f]{64}$/i.test(text)) return 'is hexadecimal text, not base64';
  if (Buffer.from(text, 'base64').toString('base64') !== text) return 'is not base64 text';
  return undefined;
}

function checked(bytes: Uint8Array): KeyObject | string {
  if (bytes.length !== KEY_BYTES) return `is not ${KEY_BYTES} bytes long, but ${bytes.length}`;
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is text, such as a passphrase';
  if (new Set(bytes).size < DIFFERENT_BYTES) return 'is not random: its bytes repeat themselves';
  return createSecretKey(bytes);
}
