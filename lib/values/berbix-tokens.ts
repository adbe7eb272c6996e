import { createHmac, randomBytes } from 'node:crypto';
import { inspect, types } from 'node:util';
import { BerbixInputError, REDACTED, compareBy, readInput } from '../errors/index.js';
import { requireTransactionId } from './ids.js';
import { PRINTED_PREFIX, isToken, refuseRedacted, requireRefreshToken } from './refresh-token.js';

/** The parts of a {@link BerbixTokens}. */
export interface BerbixTokensInit {
  refreshToken: string;
  accessToken?: string | undefined;
  clientToken?: string | undefined;
  expiresAt?: Date | undefined;
  /** Milliseconds for which access and client token were valid when they were issued. */
  lifetimeMs?: number | undefined;
  transactionId?: string | undefined;
}

const KEY: unique symbol = Symbol.for('berbix:fingerprint-key') as never;
const shared: typeof globalThis & { [KEY]?: Buffer } = globalThis;

/**
 * Random for each process, so that a fingerprint in a log reveals nothing about a token. Two copies
 * of this package share it, so that the same tokens are equal whichever copy they are from.
 */
const FINGERPRINT_KEY = (shared[KEY] ??= randomBytes(32));

/** Milliseconds to allow for the way to the API and for small clock differences. */
const LEEWAY_MS = 60_000;

/** Milliseconds for which tokens of this lifetime must be valid when they are handed out (I1). */
export function defaultLeewayMs(lifetimeMs: number): number {
  return Math.min(LEEWAY_MS, lifetimeMs / 10);
}

/**
 * The tokens of one transaction; immutable. When it is printed, logged, spread or turned into JSON,
 * it shows no secrets: only its properties reveal them.
 *
 * For test runners and `assert.deepStrictEqual`, two instances are equal if their three tokens and
 * their transaction are. `expiresAt` does not count: it differs by milliseconds each time the same
 * tokens are read from a store.
 *
 * @example
 * ```ts
 * const tokens = BerbixTokens.fromRefresh(row.refreshToken);
 * const fresh = await firstValueFrom(tokenService.refresh(tokens));
 * ```
 */
export class BerbixTokens {
  readonly #refreshToken: string;
  readonly #accessToken: string | undefined;
  readonly #clientToken: string | undefined;
  readonly #expiresAt: number | undefined;
  /**
   * `expiresAt` by `performance.now()`: setting the host's clock back must not extend the tokens.
   */
  readonly #endsAt: number;
  readonly #lifetimeMs: number;
  readonly #transactionId: string | undefined;

  /**
   * Null, as databases return it, counts as undefined.
   *
   * @throws {BerbixInvalidRefreshTokenError} if the refresh token is empty, missing or malformed
   * @throws {BerbixInputError} if another part is invalid, or was converted to JSON
   */
  constructor(init: BerbixTokensInit) {
    const parts = readInput(PARTS_EXPECTED, () => readParts(init));
    this.#refreshToken = requireRefreshToken(parts.refreshToken);
    this.#accessToken = optionalToken('accessToken', parts.accessToken);
    this.#clientToken = optionalToken('clientToken', parts.clientToken);
    const expiresAt = parseTime(parts.expiresAt);
    this.#expiresAt = Number.isNaN(expiresAt) ? undefined : expiresAt;
    this.#lifetimeMs = parseLifetime(parts.lifetimeMs);
    // The clock may have been set back since the request that issued them.
    this.#endsAt = performance.now() + Math.min(expiresAt - Date.now(), this.#lifetimeMs);
    this.#transactionId = isNone(parts.transactionId)
      ? undefined
      : requireTransactionId(parts.transactionId);
    compareBy(this, BerbixTokens.#fingerprint);
  }

  /**
   * From a stored refresh token alone; `BerbixTokenService.refresh` gets the other tokens.
   *
   * @throws {BerbixInvalidRefreshTokenError} if it is empty, missing or malformed
   */
  static fromRefresh(refreshToken: string): BerbixTokens {
    return new BerbixTokens({ refreshToken });
  }

  /**
   * From anything that a service accepts: tokens, also of another copy of this class, the parts of
   * tokens, or a refresh token alone.
   *
   * @throws {BerbixInvalidRefreshTokenError} if the refresh token is empty, missing or malformed
   * @throws {BerbixInputError} for a copy or a proxy of tokens, or tokens that were converted to JSON
   * @internal
   */
  static from(tokens: BerbixTokens | BerbixTokensInit | string): BerbixTokens {
    if (typeof tokens !== 'object' || tokens === null) return BerbixTokens.fromRefresh(tokens);
    if (#refreshToken in tokens) return tokens;
    const isCopy = readInput(PARTS_EXPECTED, () => !('refreshToken' in tokens));
    if (isCopy) throw new BerbixInputError(`${PARTS_EXPECTED} The argument has no refreshToken.`);
    return new BerbixTokens(tokens);
  }

  /** Long-lived; store it, encrypted, on the server, and never send it to a browser or app. */
  get refreshToken(): string {
    return this.#refreshToken;
  }

  /** For calls from the server; valid for an hour. [doc: docs/platform-overview] */
  get accessToken(): string | undefined {
    return this.#accessToken;
  }

  /**
   * For the browser or app that runs the verification; valid for an hour.
   * [doc: docs/platform-overview]
   */
  get clientToken(): string | undefined {
    return this.#clientToken;
  }

  /**
   * The id of the transaction, as a string, since it is a 64-bit integer. Undefined until the API
   * has sent it.
   */
  get transactionId(): string | undefined {
    return this.#transactionId;
  }

  /**
   * When access and client token expire, counted from the start of the request that issued them.
   */
  get expiresAt(): Date | undefined {
    return this.#expiresAt === undefined ? undefined : new Date(this.#expiresAt);
  }

  /** Milliseconds for which access and client token were valid when they were issued, if known. */
  get lifetimeMs(): number | undefined {
    return this.#lifetimeMs === Infinity ? undefined : this.#lifetimeMs;
  }

  /**
   * Whether the access token is missing or expires within the leeway.
   *
   * @param leewayMs milliseconds for which the token should be valid; by default a minute, or a
   * tenth of the token's lifetime if that is less
   * @throws {BerbixInputError} if it is not a number
   */
  needsRefresh(leewayMs = defaultLeewayMs(this.#lifetimeMs)): boolean {
    if (typeof leewayMs !== 'number') {
      throw new BerbixInputError('leewayMs must be a number of milliseconds, or left out.');
    }
    // Negated, since NaN milliseconds are left if that is not known.
    return this.#accessToken === undefined || !(this.leftMs() > leewayMs);
  }

  /** Milliseconds until access and client token expire; NaN if that is not known. @internal */
  leftMs(): number {
    return Math.min((this.#expiresAt ?? NaN) - Date.now(), this.#endsAt - performance.now());
  }

  /**
   * Lets tests compare tokens; safe to print. Undefined for a proxy, which has no private fields.
   */
  static #fingerprint(this: BerbixTokens): string | undefined {
    if (!(#refreshToken in this)) return undefined;
    const parts = [this.#refreshToken, this.#accessToken, this.#clientToken, this.#transactionId];
    const hmac = createHmac('sha256', FINGERPRINT_KEY).update(JSON.stringify(parts));
    return `fingerprint ${hmac.digest('base64url').slice(0, 16)}`;
  }

  /** Without secrets. */
  toJSON(): Record<string, unknown> {
    return {
      transactionId: this.transactionId,
      expiresAt: this.expiresAt?.toISOString(),
      refreshToken: REDACTED,
      accessToken: this.#accessToken && REDACTED,
      clientToken: this.#clientToken && REDACTED,
    };
  }

  toString(): string {
    return `${PRINTED_PREFIX}(${this.transactionId ?? 'transaction not known yet'})`;
  }

  [inspect.custom](): string {
    return `${PRINTED_PREFIX} ${inspect(this.toJSON())}`;
  }
}

const PARTS_EXPECTED =
  'Pass a BerbixTokens or a refresh token. A copy (structuredClone, spread) or a proxy of BerbixTokens contains no tokens.';

/** Reads each part once. */
function readParts(init: BerbixTokensInit | undefined): Record<keyof BerbixTokensInit, unknown> {
  const { refreshToken, accessToken, clientToken, expiresAt, lifetimeMs, transactionId } =
    init ?? ({} as Partial<BerbixTokensInit>);
  return { refreshToken, accessToken, clientToken, expiresAt, lifetimeMs, transactionId };
}

function isNone(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function optionalToken(name: string, value: unknown): string | undefined {
  if (isNone(value) || value === '') return undefined;
  if (isToken(value)) return value;
  refuseRedacted(value);
  throw new BerbixInputError(`${name} must be a string, or left out.`);
}

/** Milliseconds since 1970; NaN if it is not known. Databases may return it as text. */
function parseTime(value: unknown): number {
  if (isNone(value)) return NaN;
  if (types.isDate(value) || typeof value === 'string' || typeof value === 'number') {
    const time = new Date(value).getTime();
    if (!Number.isNaN(time)) return time;
  }
  throw new BerbixInputError('expiresAt must be a Date, or left out.');
}

function parseLifetime(value: unknown): number {
  if (isNone(value)) return Infinity;
  if (typeof value === 'number' && value >= 0) return value;
  throw new BerbixInputError('lifetimeMs must be a number of milliseconds, or left out.');
}
