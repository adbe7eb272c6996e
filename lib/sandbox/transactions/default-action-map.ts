/**
 * Which flags decide more than a review.
 * ASSUMPTION: every account of Berbix has an Action Map of its own; this one is ours.
 */
export const DEFAULT_ACTION_MAP: Readonly<Record<string, string>> = {
  id_blocked: 'reject',
  id_blocked_possible: 'reject',
  id_photocopy_detected: 'reject',
  id_under_18: 'reject',
};

/** How flags look; there are more than the docs list, and new ones come. [doc: docs/id-flags] */
export function isFlag(name: string): boolean {
  return /^[a-z0-9_]+$/.test(name);
}
