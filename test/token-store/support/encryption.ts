import { randomBytes } from 'node:crypto';
import { TokenCipher } from '../../../lib/token-store/encryption/index.js';

/** A key like the output of `openssl rand -base64 32`. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** A cipher with these keys, each with its id. */
export function cipherWith(
  keys: Record<string, string>,
  account = 'default',
  acceptPlaintext = false,
  current = Object.keys(keys)[0] as string,
): TokenCipher {
  return new TokenCipher({ keys, current, acceptPlaintext }, account);
}

/** All forms in which a key could be printed. */
export function tracesOf(key: string): string[] {
  const bytes = Buffer.from(key, 'base64');
  return [
    key,
    key.slice(0, 20),
    bytes.toString('hex'),
    bytes.toString('base64url'),
    // As util.inspect and JSON show a Buffer and another Uint8Array.
    [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    [...bytes.subarray(0, 4)].join(', '),
    [...bytes.subarray(0, 4)].join(','),
  ];
}
