import { isBerbixError, type BerbixError } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { isShutDown, mapFailure, mapForeignError } from './failure.mapper.js';
import type { Verdict } from './overload-guard.js';
import { WireFailure } from './wire-failure.js';

/** How one attempt ended, and what that says of the API. */
export type Attempted = { readonly verdict: Verdict } & (
  | { readonly answer: BerbixAnswer }
  /** `sent`: whether any byte of the request may have reached the API. */
  | { readonly error: BerbixError; readonly sent: boolean }
);

/** An attempt that the API answered. */
export function answered(answer: BerbixAnswer | BerbixError): Attempted {
  return isBerbixError(answer)
    ? { error: answer, sent: true, verdict: answer.retryable ? 'outage' : 'well' }
    : { answer, verdict: 'well' };
}

/**
 * An attempt that ended otherwise.
 *
 * @param hadTime whether the API was given a fair part of the time to answer in
 */
export function failed(
  request: BerbixRequest,
  thrown: unknown,
  timeoutMs: number,
  hadTime: boolean,
): Attempted {
  if (thrown instanceof WireFailure) {
    const error = mapFailure(request, thrown, timeoutMs);
    return { error, sent: thrown.sent, verdict: verdictOf(thrown, hadTime) };
  }
  return isBerbixError(thrown)
    ? { error: thrown, sent: false, verdict: 'none' }
    : { error: mapForeignError(request, thrown), sent: true, verdict: 'none' };
}

function verdictOf(failure: WireFailure, hadTime: boolean): Verdict {
  switch (failure.reason) {
    case 'connection':
      return isShutDown(failure) ? 'none' : 'outage';
    case 'timeout':
    case 'total-timeout':
      return failure.isOnTheWire && hadTime ? 'outage' : 'none';
    case 'too-large':
      return 'well';
    case 'refused':
    case 'unsubscribed':
      return 'none';
  }
}
