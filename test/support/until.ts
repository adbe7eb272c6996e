/** Resolves when the condition holds; a test that waits forever fails by Jest's own time limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  everyMs = 2,
): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}
