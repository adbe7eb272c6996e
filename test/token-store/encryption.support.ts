import { randomBytes } from 'node:crypto';
import { BerbixError } from 'nestjs-berbix';
import { TokenCipher } from '../../lib/token-store/encryption/index.js';

/** A key, as `openssl rand -base64 32` gives it. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** A cipher that has these keys, each under its id. */
export function cipherWith(
  keys: Record<string, string>,
  account = 'default',
  acceptPlaintext = false,
  current = Object.keys(keys)[0] as string,
): TokenCipher {
  return new TokenCipher({ keys, current, acceptPlaintext }, account);
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<BerbixError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BerbixError) return error;
    throw error;
  }
  throw new Error('expected a rejection');
}

/** What something throws. */
export function thrown(run: () => unknown): BerbixError {
  try {
    run();
  } catch (error) {
    if (error instanceof BerbixError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

/** All that a key looks like when it is printed. */
export function tracesOf(key: string): string[] {
  const bytes = Buffer.from(key, 'base64');
  return [
    key,
    key.slice(0, 20),
    bytes.toString('hex'),
    bytes.toString('base64url'),
    // As util.inspect shows a Buffer and another Uint8Array, and as JSON has them.
    [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    [...bytes.subarray(0, 4)].join(', '),
    [...bytes.subarray(0, 4)].join(','),
  ];
}
