/** The first random wait is below this, in milliseconds. */
const BASE_MS = 100;

/**
 * How long to wait before a repetition, in milliseconds: a random time with full jitter, so that
 * the replicas of a fleet do not come back all at once, on top of what the API asks for.
 *
 * @param repetition 0 before the first repetition
 * @param retryAfterMs what the API asks for, in milliseconds
 */
export function backoff(
  repetition: number,
  retryAfterMs: number | undefined,
  { backoffLimit }: { backoffLimit: number },
): number {
  return (retryAfterMs ?? 0) + Math.random() * Math.min(backoffLimit, BASE_MS * 2 ** repetition);
}
