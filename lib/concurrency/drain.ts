/** Milliseconds that a shutdown waits for work in flight. */
const DRAIN_MS = 5_000;

/** Resolves when the promise has settled, or after five seconds. */
export async function drained(underWay: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
  await Promise.race([underWay, limit]).catch(() => {});
  clearTimeout(timer);
}
