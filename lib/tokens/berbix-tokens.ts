import { inspect } from 'node:util';
import { requireTransactionId } from './ids.js';
import { requireRefreshToken } from './refresh-token.js';

/** What {@link BerbixTokens} is made of. */
export interface BerbixTokensInit {
  refreshToken: string;
  accessToken?: string | undefined;
  clientToken?: string | undefined;
  expiresAt?: Date | undefined;
  /** How long access and client token were good for when they came, in milliseconds. */
  lifetimeMs?: number | undefined;
  transactionId?: string | undefined;
}

const REDACTED = '[redacted]';

/** Covers the way to the API and clocks that differ a little, in milliseconds. */
const LEEWAY_MS = 60_000;

/**
 * The tokens of one transaction; immutable. Printed, logged, spread or turned into JSON it shows no
 * secret: reading the properties is the only way to them.
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
  /** The same by `performance.now()`: whoever sets the clock of the host back makes no token last longer. */
  readonly #endsAt: number;
  readonly #lifetimeMs: number;
  readonly #transactionId: string | undefined;

  /**
   * What a database has as null counts as not given.
   *
   * @throws {BerbixInvalidRefreshTokenError} when the refresh token is empty, missing or malformed
   * @throws {BerbixInputError} when `transactionId` is given and is none
   */
  constructor(init: BerbixTokensInit) {
    this.#refreshToken = requireRefreshToken(init?.refreshToken);
    this.#accessToken = init.accessToken || undefined;
    this.#clientToken = init.clientToken || undefined;
    const expiresAt = new Date(init.expiresAt ?? NaN).getTime();
    this.#expiresAt = Number.isNaN(expiresAt) ? undefined : expiresAt;
    this.#endsAt = performance.now() + (expiresAt - Date.now());
    this.#lifetimeMs = init.lifetimeMs ?? Infinity;
    this.#transactionId =
      init.transactionId === undefined || init.transactionId === null
        ? undefined
        : requireTransactionId(init.transactionId);
  }

  /**
   * From a stored refresh token alone; `BerbixTokenService.refresh` gets the others.
   *
   * @throws {BerbixInvalidRefreshTokenError} when it is empty, missing or malformed
   */
  static fromRefresh(refreshToken: string): BerbixTokens {
    return new BerbixTokens({ refreshToken });
  }

  /**
   * From what a service may be given: tokens, also of another copy of this class, what they are made
   * of, or a refresh token alone.
   *
   * @throws {BerbixInvalidRefreshTokenError} when the refresh token is empty, missing or malformed
   * @internal
   */
  static from(tokens: BerbixTokens | BerbixTokensInit | string): BerbixTokens {
    if (typeof tokens !== 'object' || tokens === null) return BerbixTokens.fromRefresh(tokens);
    return 'needsRefresh' in tokens ? tokens : new BerbixTokens(tokens);
  }

  /** Long-lived; store it, encrypted, on the server, and never send it to a browser or app. */
  get refreshToken(): string {
    return this.#refreshToken;
  }

  /** For calls from the server; good for an hour. [doc: docs/platform-overview] */
  get accessToken(): string | undefined {
    return this.#accessToken;
  }

  /** For the browser or app that runs the verification; good for an hour. [doc: docs/platform-overview] */
  get clientToken(): string | undefined {
    return this.#clientToken;
  }

  /** The transaction's id, as a string: it is a 64-bit integer. Known once the API has named it. */
  get transactionId(): string | undefined {
    return this.#transactionId;
  }

  /** When access and client token end, counted from the start of the request that brought them. */
  get expiresAt(): Date | undefined {
    return this.#expiresAt === undefined ? undefined : new Date(this.#expiresAt);
  }

  /** How long access and client token were good for when they came, in milliseconds, where it is known. */
  get lifetimeMs(): number | undefined {
    return this.#lifetimeMs === Infinity ? undefined : this.#lifetimeMs;
  }

  /**
   * Whether the access token is missing or ends within the leeway.
   *
   * @param leewayMs milliseconds that the token should be good for at least; by default a minute, or
   * a tenth of the token's lifetime where that is less
   */
  needsRefresh(leewayMs = Math.min(LEEWAY_MS, this.#lifetimeMs / 10)): boolean {
    if (this.#accessToken === undefined || this.#expiresAt === undefined) return true;
    return !(this.leftMs() > leewayMs);
  }

  /** Milliseconds until access and client token end; NaN where that is not known. @internal */
  leftMs(): number {
    return Math.min((this.#expiresAt ?? NaN) - Date.now(), this.#endsAt - performance.now());
  }

  /** Without the secrets. */
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
    return `BerbixTokens(${this.transactionId ?? 'transaction not known yet'})`;
  }

  [inspect.custom](): string {
    return `BerbixTokens ${inspect(this.toJSON())}`;
  }
}
