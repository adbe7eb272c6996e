import { compareByTokens } from './compare-by.js';

/** A refresh token to store; a BerbixTokens, so that printing does not show it. */
export interface BerbixReplacementTokens {
  readonly refreshToken: string;
  readonly transactionId?: string | undefined;
}

/** The code of an error, one for each class; `docs/errors.md` says what to do about each. */
export type BerbixErrorCode =
  | 'BERBIX_ABORTED'
  | 'BERBIX_AUTHENTICATION'
  | 'BERBIX_CONFIGURATION'
  | 'BERBIX_CONFLICT'
  | 'BERBIX_CONNECTION'
  | 'BERBIX_GONE'
  | 'BERBIX_INPUT'
  | 'BERBIX_INVALID_ACCESS_TOKEN'
  | 'BERBIX_INVALID_REFRESH_TOKEN'
  | 'BERBIX_NOT_FOUND'
  | 'BERBIX_RATE_LIMIT'
  | 'BERBIX_REQUEST'
  | 'BERBIX_RESPONSE'
  | 'BERBIX_SERVER'
  | 'BERBIX_STORE'
  | 'BERBIX_TIMEOUT'
  | 'BERBIX_UNAVAILABLE'
  | 'BERBIX_WEBHOOK_BODY'
  | 'BERBIX_WEBHOOK_SIGNATURE';

/** The details of a failure; copied field by field, so that nothing else is passed on. */
export interface BerbixErrorDetails {
  /** The HTTP status of the answer, if there was one. */
  status?: number | undefined;
  /** Whether the same call may succeed later. */
  retryable?: boolean | undefined;
  /** How long to wait before that, in milliseconds, if it is known. */
  retryAfterMs?: number | undefined;
  /** The API's short name for the refusal, if it gave one. */
  readable?: string | undefined;
  /** The request id of the answer, for support requests. */
  requestId?: string | undefined;
  /** The HTTP method and path of the call. */
  method?: string | undefined;
  path?: string | undefined;
}

const BRAND: unique symbol = Symbol.for('berbix:error') as never;

/**
 * The base class of all errors of this package. Distinguish them by `code`, which is stable, and
 * recognize them with {@link isBerbixError}, which also works if two copies of the package are
 * loaded.
 *
 * It has no request, headers, body or `cause`: errors of HTTP clients contain the API secret and
 * the refresh token, and loggers print everything that an error contains (I10).
 */
export abstract class BerbixError extends Error {
  /** For programs, and stable; the message is for people. */
  abstract readonly code: BerbixErrorCode;
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

  #tokens: BerbixReplacementTokens | undefined;

  /**
   * Present if the API may have replaced the stored refresh token before the call failed. Store
   * these tokens, or the transaction is lost.
   */
  get tokens(): BerbixReplacementTokens | undefined {
    return this.#tokens;
  }

  /** The same error with these tokens; this one stays as it is. @internal */
  withTokens(tokens: BerbixReplacementTokens | undefined): this {
    return this.#copy(tokens, this.#isWithoutEffect);
  }

  #isWithoutEffect = false;

  /**
   * Whether the API cannot have acted on the call: nothing was sent, or all was refused. @internal
   */
  get isWithoutEffect(): boolean {
    return this.#isWithoutEffect;
  }

  /** The same error, marked so. @internal */
  withoutEffect(): this {
    return this.#copy(this.#tokens, true);
  }

  /**
   * Others may hold this error, such as callers who share a call of the key provider, so it never
   * changes. A constructor of a subclass is not called: its parameters are unknown.
   */
  #copy(tokens: BerbixReplacementTokens | undefined, isWithoutEffect: boolean): this {
    const error = Reflect.construct(BerbixError, [this.message, this], this.constructor) as this;
    Object.assign(error, Object.fromEntries(Object.entries(this)), { stack: this.stack });
    error.#tokens = tokens;
    error.#isWithoutEffect = isWithoutEffect;
    if (tokens !== undefined) compareByTokens(error);
    return error;
  }

  /** The fields above, the code and the message, without the stack and the tokens. */
  toJSON(): Record<string, unknown> {
    return { name: this.name, message: this.message, ...Object.fromEntries(Object.entries(this)) };
  }
}

/**
 * Whether a thrown value is an error of this package.
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
  return readThrown(() => (value as { [BRAND]?: true })[BRAND]) === true;
}

/** Reads a thrown value; undefined if that throws: anything can be thrown, even such a proxy. */
export function readThrown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Replaces a secret in printed values, in JSON and in messages (I10). */
export const REDACTED = '[redacted]';

/** What may be shown of an error of the application: its message may quote a secret (I10). */
export function nameOf(error: unknown): string {
  const name: unknown = readThrown(() => error instanceof Error && error.name);
  return typeof name === 'string' ? name : typeof error;
}

/** The message of an error of this package; of any other, its name. */
export function sentenceOf(error: unknown): string {
  return isBerbixError(error) ? error.message : nameOf(error);
}

/**
 * A line of the log about an error: what it means here, its message, its code, and the place in
 * `docs/errors.md` that says what to do.
 */
export function logLine(meaning: string, error: unknown): string {
  const line = [meaning, sentenceOf(error)].filter(Boolean).join(' ');
  if (!isBerbixError(error)) return line;
  return `${line} (${error.code}, see docs/errors.md#${error.code.toLowerCase()})`;
}

/** A count with its noun, for messages: `1 value`, `2 values`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
