import type { WaitingCallers } from './waiting-callers.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import type { TokenRequirement } from './token-requirement.js';
import type { LocalTokens } from './token-record.js';
import type { TokenQuery } from './token-records.js';

/**
 * The callers of a renewal in flight, and what one whose deadline comes before its end can be
 * given.
 */
export interface RenewalProgress {
  /** The callers who wait for it. */
  readonly callers: WaitingCallers;
  /** The tokens last read from the store, if they may still be usable, and when they were read. */
  latest?: { readonly found: LocalTokens; readonly readAt: number } | undefined;
  /** The successor of a spent refresh token, until it is saved. */
  unsaved?: BerbixTokens | undefined;
  /** Whether `loadTokens` has replaced a dead refresh token. */
  isReloaded?: boolean;
}

/** One run: which tokens, what they must satisfy, and its progress. */
export interface TokenSearch {
  readonly query: TokenQuery;
  readonly need: TokenRequirement;
  readonly progress: RenewalProgress;
}
