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
    return isClientToken ? { kind: 'client' } : this.#readOpaque(text);
  }

  #readOpaque(text: string): SandboxToken {
    const content = Buffer.from(text.slice(TOKEN_PREFIXES.access.length), 'base64url').toString();
    const [id = '', number = '', last = ''] = content.split('.');
    const transactionId = BigInt(id);
    return text.startsWith(TOKEN_PREFIXES.access)
      ? { kind: 'access', transactionId, expiresAt: Number(number) }
      : {
          kind: 'refresh',
          transactionId,
          generation: Number(number),
          mode: last === 'live' ? 'live' : 'test',
        };
  }
}
