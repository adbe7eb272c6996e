import { Inject, Injectable } from '@nestjs/common';
import { type SandboxToken, TOKEN_PREFIXES } from './token-kinds.js';
import { SIGNATURE_LENGTH, TokenSigner } from './token-signer.js';

/** Reads tokens that this sandbox signed. */
@Injectable()
export class TokenReader {
  constructor(@Inject(TokenSigner) private readonly signer: TokenSigner) {}

  /** What the token says, expired or not; `undefined` if this sandbox did not sign it. */
  read(token: string): SandboxToken | undefined {
    const text = token.slice(0, -SIGNATURE_LENGTH);
    const isClientToken = token.split('.').length === 3;
    // In a JWT a dot stands before the signature, and is not signed.
    const signed = isClientToken ? text.slice(0, -1) : text;
    if (!this.signer.verify(signed, token.slice(-SIGNATURE_LENGTH))) return undefined;
    return isClientToken ? readClaims(signed) : readOpaque(text);
  }
}

/** What {@link TokenWriter} wrote into an access or a refresh token. */
function readOpaque(text: string): SandboxToken {
  const [transactionId = '', number = '', last = ''] = decode(
    text.slice(TOKEN_PREFIXES.access.length),
  ).split('.');
  return text.startsWith(TOKEN_PREFIXES.access)
    ? { kind: 'access', transactionId, expiresAt: Number(number) }
    : {
        kind: 'refresh',
        transactionId,
        generation: Number(number),
        mode: last === 'live' ? 'live' : 'test',
      };
}

/** Those of a JWT. */
function readClaims(signed: string): SandboxToken {
  const [, claims = ''] = signed.split('.');
  const { sub, exp } = JSON.parse(decode(claims)) as { sub: string; exp: number };
  return { kind: 'client', transactionId: sub, expiresAt: exp * 1000 };
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString();
}
