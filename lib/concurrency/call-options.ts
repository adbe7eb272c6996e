import {
  BerbixAbortedError,
  BerbixInputError,
  BerbixTimeoutError,
  BerbixUnavailableError,
  nameOf,
  readInput,
  type BerbixErrorDetails,
} from '../errors/index.js';

/** Options of one call, as its last argument. */
export interface BerbixCallOptions {
  /**
   * Aborts the call, as unsubscribing does, and fails it with a `BerbixAbortedError`. Nothing is sent
   * if it is already aborted. What callers share, such as an exchange of a refresh token, continues
   * for the others.
   */
  signal?: AbortSignal | undefined;
  /**
   * The time limit of the whole call in milliseconds, instead of `totalTimeoutMs`. A longer one gives
   * more time to the request of this call, not to what callers share.
   */
  timeoutMs?: number | undefined;
}

/** The options of a call that has begun. Spread into other options, they limit a part of it. */
export interface CallLimits extends BerbixCallOptions {
  /** When it began, by `performance.now()`; its time limits count from then. */
  readonly startedAt: number;
}

/** A day, as for the options of the module; timers overflow at 24.8 days. */
const MAX_MS = 86_400_000;

/** The names of the members of {@link CallLimits}. */
const NAMES = ['signal', 'timeoutMs', 'startedAt'];

/**
 * Reads the options of a call; undefined if it has none.
 *
 * @param options perhaps the limits of the whole of which the call is a part
 * @param others the names of the other options of the method
 * @param method its name, if it has others
 * @throws {BerbixInputError} for anything else, also misspelled names
 */
export function callLimits(
  options: unknown,
  others: readonly string[] = [],
  method = 'the call',
): CallLimits | undefined {
  if (options === undefined) return undefined;
  const expected = `The options of ${method} are { ${[...others, 'signal', 'timeoutMs'].join(', ')} }.`;
  return readInput(expected, () => {
    const isObject = typeof options === 'object' && options !== null;
    if (!isObject || Object.keys(options).some((key) => ![...NAMES, ...others].includes(key))) {
      throw new BerbixInputError(expected);
    }
    const { signal, timeoutMs, startedAt = performance.now() } = options as Partial<CallLimits>;
    if (signal !== undefined && !isSignal(signal)) {
      throw new BerbixInputError('signal must be an AbortSignal.');
    }
    if (
      timeoutMs !== undefined &&
      !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_MS)
    ) {
      throw new BerbixInputError(
        `timeoutMs must be a whole number of milliseconds from 1 to ${MAX_MS}.`,
      );
    }
    if (signal === undefined && timeoutMs === undefined) return undefined;
    return { signal, timeoutMs, startedAt };
  });
}

/** Also a signal of another realm, or of a polyfill. */
function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  );
}

/** The signal of a call was aborted. Its reason may quote a secret, so only the name of the reason is shown (I10). */
export function abortedError(signal: AbortSignal): BerbixAbortedError {
  const name = nameOfReason(signal);
  return new BerbixAbortedError(
    `The call was aborted by its signal${name === undefined ? '' : ` (${name})`}. What had already been sent may have taken effect.`,
  );
}

function nameOfReason(signal: AbortSignal): string | undefined {
  try {
    const reason: unknown = signal.reason;
    return reason instanceof Error ? nameOf(reason) : undefined;
  } catch {
    return undefined;
  }
}

/** The time limit of a call is over. */
export function callTimeoutError(timeoutMs: number): BerbixTimeoutError {
  return new BerbixTimeoutError(
    `The call did not end within ${timeoutMs} ms (the limit of this call). What had already been sent may have taken effect.`,
    { retryable: true },
  );
}

/** The application shut down during a call. Another process of it may answer, so it is retryable. */
export function shutDownError(
  details: BerbixErrorDetails = {},
  sent = false,
): BerbixUnavailableError {
  return new BerbixUnavailableError(
    `The application shut down before this call was done.${sent ? ' The API may have acted on it.' : ''}`,
    { ...details, retryable: true },
  );
}
