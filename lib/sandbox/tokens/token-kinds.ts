import type { SandboxMode } from '../auth/sandbox-mode.js';

/** What an access token says. */
export interface AccessToken {
  kind: 'access';
  transactionId: bigint;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** What a refresh token says. */
export interface RefreshToken {
  kind: 'refresh';
  /** Kept in the token, so that a deleted transaction shows itself to its own mode only. */
  mode: SandboxMode;
  transactionId: bigint;
  /** How many tokens of this transaction were rotated away before this one. */
  generation: number;
}

/** A client token; what it says is for the browser, not for the endpoints of the backend. */
export interface ClientToken {
  kind: 'client';
}

/** Any token that this sandbox signed. */
export type SandboxToken = AccessToken | RefreshToken | ClientToken;

/** How the opaque tokens begin. ASSUMPTION: their format is not known; ours is below 200 characters. */
export const TOKEN_PREFIXES = { access: 'at_', refresh: 'rt_' } as const;
