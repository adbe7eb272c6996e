import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SandboxClock } from '../sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import type { Transaction } from '../transactions/transaction.js';
import { TOKEN_PREFIXES } from './token-kinds.js';
import { TokenSigner } from './token-signer.js';

/** The audience seen in a real client token. [3p: idx 8742541482] */
const AUDIENCE = 'verify.berbix.com';
const JWT_HEADER = encode({ alg: 'HS256', typ: 'JWT' });
/** ASSUMPTION: `cid` is the customer of Berbix, of whom the sandbox has one; `ctt` and `htt` are types. */
const FIXED_CLAIMS = { cid: 1, ctt: 1, htt: 0, aud: AUDIENCE };

/** Writes the three kinds of token. */
@Injectable()
export class TokenWriter {
  #written = 0;

  constructor(
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** `at_…`, a different one each time, valid for `tokenTtlSeconds`. */
  accessToken({ id }: Transaction): string {
    const expiresAt = this.clock.now() + this.settings.tokenTtlSeconds * 1000;
    // Makes tokens of the same millisecond differ; that nobody can guess them is up to the signature.
    const number = (this.#written++).toString(36);
    return this.#seal(TOKEN_PREFIXES.access, `${id}.${expiresAt}.${number}`);
  }

  /** `rt_…`, the same one until it is rotated. ASSUMPTION: valid until the transaction is gone. */
  refreshToken({ id, mode, rotation }: Transaction): string {
    return this.#seal(TOKEN_PREFIXES.refresh, `${id}.${rotation.generation}.${mode}`);
  }

  /**
   * A JWT, which the React Native SDK insists on, with the claims seen in a real one. ASSUMPTION:
   * HS256, and what the claims mean. [sdk: react-native-wrapper src/index.tsx] [3p: idx 8742541482]
   */
  clientToken({ id, customerUid }: Transaction): string {
    const issuedAt = Math.floor(this.clock.now() / 1000);
    const claims = encode({
      uid: integerFrom(customerUid),
      ...FIXED_CLAIMS,
      iat: issuedAt,
      exp: issuedAt + this.settings.tokenTtlSeconds,
      sub: id,
    });
    const text = `${JWT_HEADER}.${claims}`;
    return `${text}.${this.signer.sign(text)}`;
  }

  /** No dots: nothing but a client token shall look like a JWT. */
  #seal(prefix: string, content: string): string {
    const text = prefix + Buffer.from(content).toString('base64url');
    return text + this.signer.sign(text);
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The same integer for the same customer. */
function integerFrom(customerUid: string): number {
  return createHash('sha256').update(customerUid).digest().readUIntBE(0, 4);
}
