/**
 * Changes environment variables of this process; `undefined` removes one.
 *
 * @returns a function that restores all of them
 */
export function changeEnvironment(changes: Record<string, string | undefined>): () => void {
  const before = { ...process.env };
  assign(changes);
  return () => {
    const added = Object.keys(process.env).filter((name) => !(name in before));
    assign({ ...before, ...Object.fromEntries(added.map((name) => [name, undefined])) });
  };
}

function assign(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
