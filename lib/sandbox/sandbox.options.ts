/**
 * What `POST /v0/tokens` does with the refresh token.
 *
 * - `omit`: the answer has none, as Berbix documents it. [3p: mintyfusion TokenModel.cs]
 * - `echo`: the answer repeats the one that was sent.
 * - `rotate`: the answer has a new one, and the one that was sent dies.
 *
 * ASSUMPTION: `echo` and `rotate` have not been seen; a client that survives all three needs to
 * assume nothing.
 */
export type RefreshTokenMode = 'omit' | 'echo' | 'rotate';

/** Options of `BerbixSandbox.start()`. All of them may be left out. */
export interface BerbixSandboxOptions {
  /**
   * Port of the plain HTTP listener on 127.0.0.1; 0 takes a free one, so that two runs never collide.
   * @default 0
   */
  port?: number;
  /**
   * Listen for HTTPS too, with a certificate from an authority made for this run. The official Node
   * and Ruby SDKs speak nothing else. Needs the package `@peculiar/x509`. [sdk: node lib/berbix.js]
   * @default false
   */
  tls?: boolean;
  /**
   * Port of the HTTPS listener; 0 takes a free one.
   * @default 0
   */
  tlsPort?: number;
  /**
   * How long access and client tokens live, in seconds. [doc: docs/platform-overview]
   * @default 3600
   */
  tokenTtlSeconds?: number;
  /**
   * What an exchange does with the refresh token.
   * @default 'omit'
   */
  refreshToken?: RefreshTokenMode;
  /**
   * With `refreshToken: 'rotate'`: for how many seconds the token before the current one still
   * works. It is answered with the same successor. 0 is strict: it is dead at once.
   * @default 0
   */
  rotationGraceSeconds?: number;
  /**
   * The secret of test mode; begins with `secret_test_`.
   * @default a random one
   */
  apiSecret?: string;
  /**
   * The secret of live mode; begins with `secret_live_`.
   * @default a random one
   */
  liveApiSecret?: string;
  /**
   * Transaction ids above 2^53, which a client that reads them as JavaScript numbers gets wrong.
   * @default false (ids near 10^15)
   */
  largeIds?: boolean;
}
