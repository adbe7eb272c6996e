/** Much longer than a busy machine needs, and shorter than the time limit of a test. */
const LIMIT_MS = 60_000;
// A clock of a test may replace them.
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);

/** Resolves when the condition holds; rejects, and says which one, if it does not hold in a minute. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  everyMs = 2,
): Promise<void> {
  const end = now() + LIMIT_MS;
  while (!(await condition())) {
    if (now() > end) throw new Error(`A minute has passed, and this does not hold: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
