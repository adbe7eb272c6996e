/**
 * Whether a lease is longer than any replica takes, as it seems to be once the store's clock was set
 * back: its holder may be long gone. Twice the time, since replicas may differ in theirs for a while.
 */
export function isOverlong(leasedForMs: number, leaseMs: number): boolean {
  return leasedForMs > 2 * leaseMs;
}
