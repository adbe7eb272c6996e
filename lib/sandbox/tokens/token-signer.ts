import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Signs what the sandbox hands out, with a key of its own. Tokens that carry their own content and
 * a signature need no table, so memory does not grow with the number of exchanges.
 */
export class TokenSigner {
  constructor(private readonly key: Buffer) {}

  /** HMAC-SHA-256 in base64url: 43 characters. */
  sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }

  /** Whether the signature is the one of the text, character by character. */
  verify(text: string, signature: string): boolean {
    const expected = Buffer.from(this.sign(text));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** How many characters a signature has. */
export const SIGNATURE_LENGTH = 43;
