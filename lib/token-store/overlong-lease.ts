/**
 * Whether a lease is longer than any replica takes. It seems so after the store's clock was set
 * back, when its holder may be long gone. Twice `leaseMs`, since replicas may have different
 * settings during a deployment.
 */
export function isOverlong(leasedForMs: number, leaseMs: number): boolean {
  return leasedForMs > 2 * leaseMs;
}
