import type { WaitingCallers } from './waiting-callers.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import type { TokenRequirement } from './token-requirement.js';
import type { FoundTokens } from './token-record.js';
import type { TokenQuery } from './token-records.js';

/** Who waits for a renewal under way, and what is known of it for those who cannot wait for its end. */
export interface RenewalProgress {
  /** Who waits for it. */
  readonly callers: WaitingCallers;
  /** The tokens last read from the store, if they may still be usable, and when they were read. */
  atHand?: { readonly found: FoundTokens; readonly readAt: number } | undefined;
  /** The successor of a spent refresh token that the store has not taken yet. */
  unsaved?: BerbixTokens | undefined;
  /** Whether `loadTokens` has given another refresh token in place of a dead one. */
  isReloaded?: boolean;
}

/** What is looked for, how good it must be, and what is known meanwhile. */
export interface TokenSearch {
  readonly query: TokenQuery;
  readonly need: TokenRequirement;
  readonly progress: RenewalProgress;
}
