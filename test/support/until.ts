/** Resolves once the condition holds; a test that waits for ever fails by Jest's own limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
