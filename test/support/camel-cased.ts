/** The row with `lease_epoch` as `leaseEpoch`, as some clients of PostgreSQL return it. */
export function camelCased(row: object): object {
  const entries = Object.entries(row).map(([name, value]) => [
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    value as unknown,
  ]);
  return Object.fromEntries(entries) as object;
}
