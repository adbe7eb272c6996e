import { isBerbixError, type BerbixError } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import { isShutDown, mapFailure, mapForeignError, type Route } from './failure.mapper.js';
import type { Judged, Verdict } from './circuit-breaker.js';
import { WireFailure, type Stage } from './wire-failure.js';

/** How one attempt ended, and what that says of the API. */
export type AttemptResult = Judged &
  (
    | { readonly answer: BerbixAnswer }
    /** `mayHaveActed`: whether the API may have done what was asked for. */
    | { readonly error: BerbixError; readonly mayHaveActed: boolean }
  );

/** The circumstances in which an attempt ended. */
interface AttemptEnd {
  readonly timeoutMs: number;
  /** Whether the API was given a fair part of the time to answer in. */
  readonly hadTime: boolean;
  readonly stage: Stage;
  readonly route: Route;
}

/** An attempt that the API answered. */
export function fromResponse(
  { subject }: BerbixRequest,
  answer: BerbixAnswer | BerbixError,
): AttemptResult {
  if (!isBerbixError(answer)) return { answer, verdict: 'healthy' };
  const verdict = answer.retryable ? 'unhealthy' : 'healthy';
  return { error: answer, mayHaveActed: !isRefusal(answer), verdict, subject };
}

/** With 408 the API gave up, at whatever step. */
function isRefusal({ status = 0 }: BerbixError): boolean {
  return status >= 400 && status < 500 && status !== 408;
}

/** An attempt that ended otherwise. */
export function fromFailure(
  request: BerbixRequest,
  thrown: unknown,
  { timeoutMs, hadTime, stage, route }: AttemptEnd,
): AttemptResult {
  if (thrown instanceof WireFailure) {
    const error = mapFailure(request, thrown, timeoutMs, route);
    // Never sent: the content of the request cannot be the cause.
    const subject = thrown.sent ? request.subject : undefined;
    return { error, mayHaveActed: thrown.sent, verdict: verdictOf(thrown, hadTime), subject };
  }
  // Where it came after the authorization, an interceptor has thrown it, perhaps at an answer.
  return isBerbixError(thrown)
    ? { error: thrown, mayHaveActed: stage !== 'authorizing', verdict: 'inconclusive' }
    : { error: mapForeignError(request, thrown), mayHaveActed: true, verdict: 'inconclusive' };
}

function verdictOf(failure: WireFailure, hadTime: boolean): Verdict {
  switch (failure.reason) {
    case 'proxy':
      return 'unhealthy';
    case 'connection':
      return isShutDown(failure) ? 'inconclusive' : 'unhealthy';
    case 'timeout':
    case 'total-timeout':
      return failure.isOnTheWire && hadTime ? 'unhealthy' : 'inconclusive';
    case 'too-large':
    case 'undecodable':
      return 'healthy';
    case 'refused':
    case 'unsubscribed':
    case 'shutdown':
      return 'inconclusive';
  }
}
