import { compareByTokens } from './compare-by.js';

/** A refresh token to store, held where nothing prints it; a BerbixTokens. */
export interface ReplacementTokens {
  readonly refreshToken: string;
  readonly transactionId?: string | undefined;
}

/** What is known of a failure; copied field by field, so that nothing else can come along. */
export interface BerbixErrorDetails {
  /** HTTP status of the answer, where there was one. */
  status?: number | undefined;
  /** Whether the same call may succeed later, unchanged. */
  retryable?: boolean | undefined;
  /** How long to wait before that, in milliseconds, where the API said so. */
  retryAfterMs?: number | undefined;
  /** The API's short name for the refusal, where it gave one. */
  readable?: string | undefined;
  /** The request id of the answer, for a support request. */
  requestId?: string | undefined;
  /** HTTP method and path of the call. */
  method?: string | undefined;
  path?: string | undefined;
}

const BRAND: unique symbol = Symbol.for('berbix:error') as never;

/**
 * Base of everything this package throws. Told apart by `code`, which is stable, or with
 * {@link isBerbixError}, which also works when two copies of the package are loaded.
 *
 * It carries no request, no header, no body and no `cause`: an error of an HTTP client holds the
 * API secret and the refresh token, and every logger prints what an error holds.
 */
export abstract class BerbixError extends Error {
  /** Stable, for programs; the message is for people. */
  abstract readonly code: string;
  declare readonly status?: number;
  readonly retryable: boolean;
  declare readonly retryAfterMs?: number;
  declare readonly readable?: string;
  declare readonly requestId?: string;
  declare readonly method?: string;
  declare readonly path?: string;

  constructor(message: string, details: BerbixErrorDetails = {}) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true });
    this.retryable = details.retryable ?? false;
    for (const key of [
      'status',
      'retryAfterMs',
      'readable',
      'requestId',
      'method',
      'path',
    ] as const) {
      if (details[key] !== undefined) Object.assign(this, { [key]: details[key] });
    }
  }

  #tokens: ReplacementTokens | undefined;

  /**
   * There when the API may have replaced the stored refresh token before the call failed: store this
   * one, or the transaction is lost.
   */
  get tokens(): ReplacementTokens | undefined {
    return this.#tokens;
  }

  /** @internal */
  withTokens(tokens: ReplacementTokens | undefined): this {
    if (this.#tokens === undefined && tokens !== undefined) compareByTokens(this);
    this.#tokens = tokens;
    return this;
  }

  #isWithoutEffect = false;

  /** Whether the API cannot have acted on the call: nothing was sent, or all was refused. @internal */
  get isWithoutEffect(): boolean {
    return this.#isWithoutEffect;
  }

  /** @internal */
  withoutEffect(): this {
    this.#isWithoutEffect = true;
    return this;
  }

  /** The fields above, the code and the message; no stack and no tokens. */
  toJSON(): Record<string, unknown> {
    return { name: this.name, message: this.message, ...Object.fromEntries(Object.entries(this)) };
  }
}

/**
 * Whether a thrown value comes from this package.
 *
 * @example
 * ```ts
 * catchError((error) => {
 *   if (isBerbixError(error) && error.retryable) return later(error.retryAfterMs);
 *   throw error;
 * })
 * ```
 */
export function isBerbixError(value: unknown): value is BerbixError {
  try {
    return (
      typeof value === 'object' && value !== null && (value as { [BRAND]?: true })[BRAND] === true
    );
  } catch {
    // Anything can be thrown, a proxy too.
    return false;
  }
}
