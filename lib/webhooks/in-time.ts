import { defer, firstValueFrom, timeout } from 'rxjs';

/** Berbix waits for the answer: a function that takes longer, in milliseconds, has failed. */
export const ANSWER_WITHIN_MS = 5_000;

/**
 * What a function of the application answers, if it does in time.
 *
 * @throws (as a rejection) the TimeoutError of RxJS when it does not
 */
export function inTime<T>(call: () => Promise<T> | T): Promise<T> {
  return firstValueFrom(defer(async () => call()).pipe(timeout(ANSWER_WITHIN_MS)));
}
