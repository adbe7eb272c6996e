/** How long a shutdown waits for what is under way, in milliseconds. */
const DRAIN_MS = 5_000;

/** Resolves when the promise has settled, and after five seconds at the latest. */
export async function drained(underWay: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
  await Promise.race([underWay, limit]).catch(() => {});
  clearTimeout(timer);
}
