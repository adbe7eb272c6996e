/** Far more than anything here takes on a busy machine; what takes longer hangs, and says where. */
const LIMIT_MS = 45_000;

/** What the promise resolves to, or an error that says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`${what}: nothing within ${LIMIT_MS} ms`));
    timer = setTimeout(fail, LIMIT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Asks again and again until it holds, or fails with what `describe` says of the last answer. */
export async function until<T>(
  ask: () => Promise<T>,
  holds: (answer: T) => boolean,
  describe: (answer: T) => string,
): Promise<void> {
  for (const giveUpAt = performance.now() + LIMIT_MS; ;) {
    const answer = await ask();
    if (holds(answer)) return;
    if (performance.now() > giveUpAt) throw new Error(describe(answer));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
