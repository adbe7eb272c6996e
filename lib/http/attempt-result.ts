import { isBerbixError, type BerbixError } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from './berbix-request.js';
import {
  isClosed,
  mapFailure,
  mapForeignError,
  type Route,
  type TimeLimits,
} from './failure.mapper.js';
import type { Judged, Verdict } from './circuit-breaker.js';
import { WireFailure, type Stage } from './wire-failure.js';

/** An attempt that failed. */
export interface FailedAttempt extends Judged {
  readonly error: BerbixError;
  /** Whether the API may have acted on the request. */
  readonly mayHaveActed: boolean;
  /** Whether another attempt of the same call would fail too, although a later call may succeed. */
  readonly isLasting?: boolean | undefined;
}

/** The end of one attempt, and its verdict on the health of the API. */
export type AttemptResult = (Judged & { readonly answer: BerbixAnswer }) | FailedAttempt;

/** The circumstances of a failure. */
interface AttemptEnd {
  readonly limits: TimeLimits;
  /** Whether the API had a fair share of the time to answer. */
  readonly hadTime: boolean;
  readonly stage: Stage;
  readonly route: Route;
}

/** The result of an attempt that the API answered. */
export function fromResponse(
  { subject }: BerbixRequest,
  answer: BerbixAnswer | BerbixError,
): AttemptResult {
  if (!isBerbixError(answer)) return { answer, verdict: 'healthy' };
  const verdict = answer.retryable ? 'unhealthy' : 'healthy';
  return { error: answer, mayHaveActed: !isRefusal(answer), verdict, subject };
}

/** Not 408: the API gave up, perhaps after it had acted. */
function isRefusal({ status = 0 }: BerbixError): boolean {
  return status >= 400 && status < 500 && status !== 408;
}

/** The result of an attempt without an answer. */
export function fromFailure(
  request: BerbixRequest,
  thrown: unknown,
  { limits, hadTime, stage, route }: AttemptEnd,
): FailedAttempt {
  if (thrown instanceof WireFailure) {
    const error = mapFailure(request, thrown, limits, route);
    // If it was not sent, the content of the request cannot be the cause.
    const subject = thrown.sent ? request.subject : undefined;
    const verdict = judge(thrown, hadTime);
    return {
      error,
      mayHaveActed: thrown.sent,
      isLasting: thrown.isOfCertificate || thrown.reason === 'shutdown',
      verdict,
      subject,
    };
  }
  // After the authorization, an interceptor threw it, perhaps because of an answer.
  return isBerbixError(thrown)
    ? { error: thrown, mayHaveActed: stage !== 'authorizing', verdict: 'inconclusive' }
    : { error: mapForeignError(request, thrown), mayHaveActed: true, verdict: 'inconclusive' };
}

function judge(failure: WireFailure, hadTime: boolean): Verdict {
  switch (failure.reason) {
    case 'proxy':
      return 'unhealthy';
    case 'connection':
      return isClosed(failure) ? 'inconclusive' : 'unhealthy';
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
