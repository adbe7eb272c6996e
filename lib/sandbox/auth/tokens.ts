import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { TOKEN_TYPE, TOKENS_ENTITY } from '../../wire/index.js';
import { SandboxClock } from '../clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import type { SandboxMode } from './authorization.js';

/** The content of an access token. */
export interface AccessToken {
  kind: 'access';
  transactionId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** How often a test had expired the tokens of the transaction before this one. */
  expirations: number;
}

/** The content of a refresh token. */
export interface RefreshToken {
  kind: 'refresh';
  /** In the token, since a deleted transaction must be 410 only in its own mode. */
  mode: SandboxMode;
  transactionId: string;
  /** How many refresh tokens of the transaction were rotated before this one. */
  generation: number;
}

/** The claims of a client token that uploads need; the others are for the browser. */
export interface ClientToken {
  kind: 'client';
  transactionId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** As in the access token. */
  expirations: number;
}

/** Any token that this sandbox signed. */
export type SandboxToken = AccessToken | RefreshToken | ClientToken;

/** What tokens say about a transaction. */
interface TokenSubject {
  readonly id: string;
  readonly mode: SandboxMode;
  readonly customerUid: string;
  readonly rotation: { readonly generation: number };
  readonly expirations?: number;
}

/** Prefixes of the opaque tokens. ASSUMPTION: their format; ours is below 200 characters. */
const TOKEN_PREFIXES = { access: 'at_', refresh: 'rt_' } as const;

/** Characters of a signature. */
export const SIGNATURE_LENGTH = 43;

/** The audience seen in a real client token. [3p: idx 8742541482] */
const AUDIENCE = 'verify.berbix.com';
const JWT_HEADER = encode({ alg: 'HS256', typ: 'JWT' });
/** ASSUMPTION: `cid` is the customer of Berbix, of whom the sandbox has one; `ctt` and `htt` are types. */
const FIXED_CLAIMS = { cid: 1, ctt: 1, htt: 0, aud: AUDIENCE };

/**
 * Signs tokens and links with the key of this sandbox. Since they carry their own content, there is
 * no table of them that would grow with each exchange.
 */
export class TokenSigner {
  /** @param key can be replaced; what the old one has signed is not valid any more */
  constructor(public key: Buffer) {}

  /** HMAC-SHA-256 in base64url. */
  sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }

  /** Compares in constant time. */
  verify(text: string, signature: string): boolean {
    const expected = Buffer.from(this.sign(text));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** How many transactions {@link TokenWriter.expiryOf} knows. */
const MAX_EXPIRIES = 10_000;

/** Writes the three kinds of token. */
@Injectable()
export class TokenWriter {
  #written = 0;
  /** The content of the latest access token of each transaction, the latest ones last. */
  readonly #latest = new Map<string, Pick<AccessToken, 'expiresAt' | 'expirations'>>();

  constructor(
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /**
   * New access and client tokens, in the fields that a creation and an exchange have in common.
   * [sdk: all] ASSUMPTION: earlier tokens stay valid until they expire.
   */
  issue(subject: TokenSubject) {
    return {
      entity: TOKENS_ENTITY,
      transaction_id: BigInt(subject.id),
      access_token: this.#accessToken(subject),
      client_token: this.#clientToken(subject),
      token_type: TOKEN_TYPE,
      expires_in: this.settings.tokenTtlSeconds,
    };
  }

  /**
   * When the access token that was issued last expires, in milliseconds since 1970; undefined if it
   * has expired, or this run of the sandbox has issued none.
   */
  expiryOf({ id, expirations = 0 }: Pick<TokenSubject, 'id' | 'expirations'>): number | undefined {
    const latest = this.#latest.get(id);
    const isValid = latest?.expirations === expirations && latest.expiresAt > this.clock.now();
    return isValid ? latest.expiresAt : undefined;
  }

  /** `rt_...`, the same until it is rotated. ASSUMPTION: valid until the transaction is gone. */
  refreshToken({ id, mode, rotation }: TokenSubject): string {
    return this.#seal(TOKEN_PREFIXES.refresh, `${id}.${rotation.generation}.${mode}`);
  }

  /** `at_...`, a different one each time. */
  #accessToken({ id, expirations = 0 }: TokenSubject): string {
    const expiresAt = this.clock.now() + this.settings.tokenTtlSeconds * 1000;
    this.#remember(id, { expiresAt, expirations });
    // Makes tokens of the same millisecond differ; the signature keeps them from being guessed.
    const number = (this.#written++).toString(36);
    return this.#seal(TOKEN_PREFIXES.access, `${id}.${expiresAt}.${number}.${expirations}`);
  }

  #remember(id: string, latest: Pick<AccessToken, 'expiresAt' | 'expirations'>): void {
    this.#latest.delete(id);
    this.#latest.set(id, latest);
    if (this.#latest.size <= MAX_EXPIRIES) return;
    const [oldest = ''] = this.#latest.keys();
    this.#latest.delete(oldest);
  }

  /**
   * A JWT, which the React Native SDK requires, with the claims seen in a real one. ASSUMPTION:
   * HS256, and what the claims mean. [sdk: react-native-wrapper src/index.tsx] [3p: idx 8742541482]
   */
  #clientToken({ id, customerUid, expirations }: TokenSubject): string {
    const issuedAt = Math.floor(this.clock.now() / 1000);
    const claims = encode({
      uid: integerFrom(customerUid),
      ...FIXED_CLAIMS,
      iat: issuedAt,
      exp: issuedAt + this.settings.tokenTtlSeconds,
      sub: id,
      // Not in a real one, so only where a test needs it.
      ...(expirations !== undefined && { expirations }),
    });
    const text = `${JWT_HEADER}.${claims}`;
    return `${text}.${this.signer.sign(text)}`;
  }

  /** Without dots, since only a client token may look like a JWT. */
  #seal(prefix: string, content: string): string {
    const text = prefix + Buffer.from(content).toString('base64url');
    return text + this.signer.sign(text);
  }
}

/** Reads what {@link TokenWriter} wrote. */
@Injectable()
export class TokenReader {
  constructor(@Inject(TokenSigner) private readonly signer: TokenSigner) {}

  /** The content of the token, expired or not; undefined if this sandbox did not sign it. */
  read(token: string): SandboxToken | undefined {
    const text = token.slice(0, -SIGNATURE_LENGTH);
    const isClientToken = token.split('.').length === 3;
    // The dot before the signature of a JWT is not signed.
    const signed = isClientToken ? text.slice(0, -1) : text;
    if (!this.signer.verify(signed, token.slice(-SIGNATURE_LENGTH))) return undefined;
    return isClientToken ? readClaims(signed) : readOpaque(text);
  }
}

function readOpaque(text: string): SandboxToken {
  const content = decode(text.slice(TOKEN_PREFIXES.access.length));
  const [transactionId = '', number = '', mode = '', expirations = 0] = content.split('.');
  return text.startsWith(TOKEN_PREFIXES.access)
    ? {
        kind: 'access',
        transactionId,
        expiresAt: Number(number),
        expirations: Number(expirations),
      }
    : {
        kind: 'refresh',
        transactionId,
        generation: Number(number),
        mode: mode === 'live' ? 'live' : 'test',
      };
}

function readClaims(signed: string): SandboxToken {
  const [, claims = ''] = signed.split('.');
  const {
    sub,
    exp,
    expirations = 0,
  } = JSON.parse(decode(claims)) as { sub: string; exp: number; expirations?: number };
  return { kind: 'client', transactionId: sub, expiresAt: exp * 1000, expirations };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString();
}

/** Always the same integer for a customer. */
function integerFrom(customerUid: string): number {
  return hash('sha256', customerUid, 'buffer').readUIntBE(0, 4);
}
