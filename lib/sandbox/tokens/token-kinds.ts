import type { SandboxMode } from '../auth/sandbox-mode.js';

/** What an access token says. */
export interface AccessToken {
  kind: 'access';
  transactionId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** What a refresh token says. */
export interface RefreshToken {
  kind: 'refresh';
  /** Kept in the token, so that a deleted transaction shows itself to its own mode only. */
  mode: SandboxMode;
  transactionId: string;
  /** How many tokens of this transaction were rotated away before this one. */
  generation: number;
}

/** What a client token says to the upload endpoints; the rest is for the browser. */
export interface ClientToken {
  kind: 'client';
  transactionId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Any token that this sandbox signed. */
export type SandboxToken = AccessToken | RefreshToken | ClientToken;

/** How the opaque tokens begin. ASSUMPTION: their format is not known; ours is below 200 characters. */
export const TOKEN_PREFIXES = { access: 'at_', refresh: 'rt_' } as const;
