import type { WaitingCallers } from './waiting-callers.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import type { FoundTokens } from './token-record.js';

/** Who waits for a renewal under way, and what is known of it for those who cannot wait for its end. */
export interface RenewalProgress {
  /** Who waits for it. */
  readonly callers: WaitingCallers;
  /** What the store had when it was read last, if those may still be good, and when that was. */
  atHand?: { readonly found: FoundTokens; readonly readAt: number } | undefined;
  /** The successor of a spent refresh token that the store has not taken yet. */
  unsaved?: BerbixTokens | undefined;
  /** Whether `loadTokens` has given another refresh token in place of a dead one. */
  isReloaded?: boolean;
}
