import { setTimeout as sleep } from 'node:timers/promises';

/** Far more than any step takes on a busy machine; a step that takes longer hangs and is named. */
const LIMIT_MS = 45_000;

/** Resolves like the promise, or fails with an error that says what it waited for. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`${what}: nothing within ${LIMIT_MS} ms`));
    timer = setTimeout(fail, LIMIT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Asks repeatedly until the answer is right, or fails with the description of the last one. */
export async function untilAnswer<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  describe: (answer: T) => string | Promise<string>,
): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const answer = await ask();
    if (isRight(answer)) return;
    const now = performance.now();
    if (now > startedAt + LIMIT_MS) throw new Error(await describe(answer));
    // A long answer keeps the page busy, so it gets as much time for itself. What has taken long may
    // take longer.
    await sleep(Math.max(20, now - askedAt, Math.min(250, (now - startedAt) / 5)));
  }
}
