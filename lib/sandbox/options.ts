/**
 * What `POST /v0/tokens` does with the refresh token.
 *
 * - `omit`: the answer has none, as Berbix documents it. [3p: mintyfusion TokenModel.cs]
 * - `echo`: the answer repeats the one that was sent.
 * - `rotate`: the answer has a new one, and the one that was sent becomes invalid.
 *
 * ASSUMPTION: `echo` and `rotate` have not been observed; a client that works with all three is
 * safe.
 */
export type RefreshTokenMode = 'omit' | 'echo' | 'rotate';

/**
 * The document that the API-only template asks for.
 *
 * - `photo`: its front and, if it has a second side with data, its back.
 * - `barcode`: its barcode alone, as an image or as an ID scan.
 * - `barcode-or-photo`: the same, and photos after an ID scan that failed. [doc: reference/idscans]
 */
export type ApiOnlyDocument = 'photo' | 'barcode' | 'barcode-or-photo';

/** The selfie that the API-only template asks for after the document. [doc: reference/uploadimages] */
export type ApiOnlySelfie = 'none' | 'basic' | 'liveness';

/** Options of `BerbixSandbox.start()`. All of them are optional. */
export interface BerbixSandboxOptions {
  /**
   * Port for HTTP; 0 means a free one, so that two runs never collide.
   * @default 0
   */
  port?: number | undefined;
  /**
   * IP address to listen on. The sandbox has no login, and any other address opens it to the network:
   * `0.0.0.0` is for a container whose ports are published to this machine only.
   * @default '127.0.0.1'
   */
  host?: string | undefined;
  /**
   * URL by which others reach the sandbox, such as `http://berbix:4010` from another container. Links and
   * `sandbox.url` use it, its name is accepted as `Host`, and the certificate is valid for it. It has
   * no path.
   * @default the address on which the sandbox listens
   */
  publicUrl?: string | undefined;
  /**
   * Listen for HTTPS too, with a certificate from an authority made for this run. The official Node
   * and Ruby SDKs require it. Needs the package `@peculiar/x509`. [sdk: node lib/berbix.js]
   * @default false
   */
  tls?: boolean | undefined;
  /**
   * Port for HTTPS; 0 means a free one.
   * @default 0
   */
  tlsPort?: number | undefined;
  /**
   * Lifetime of access and client tokens, in seconds. [doc: docs/platform-overview]
   * @default 3600
   */
  tokenTtlSeconds?: number | undefined;
  /**
   * What an exchange does with the refresh token.
   * @default 'omit'
   */
  refreshToken?: RefreshTokenMode | undefined;
  /**
   * A replaced refresh token still works for this many seconds, and gets the same successor again. With
   * 0, it is invalid immediately. Exchanges replace tokens with `refreshToken: 'rotate'`; in each mode,
   * `transactions.rotateRefreshToken()` does.
   * @default 0
   */
  rotationGraceSeconds?: number | undefined;
  /**
   * The secret of test mode; begins with `secret_test_`.
   * @default a random one
   */
  apiSecret?: string | undefined;
  /**
   * The secret of live mode; begins with `secret_live_`.
   * @default a random one
   */
  liveApiSecret?: string | undefined;
  /**
   * Transaction ids above 2^53, which lose digits as JavaScript numbers.
   * @default false (ids near 10^15)
   */
  largeIds?: boolean | undefined;
  /**
   * The document that the API-only template asks for. Uploads are not inspected, but their first bytes
   * may request findings: `issue:text_unreadable` makes an upload fail, so that it must be repeated;
   * `flag:id_expired` adds a flag to the result; commas separate several.
   * @default 'photo'
   */
  apiOnlyDocument?: ApiOnlyDocument | undefined;
  /**
   * The selfie that the API-only template asks for.
   * @default 'none'
   */
  apiOnlySelfie?: ApiOnlySelfie | undefined;
  /**
   * Whether the account may send `consents_to_automated_facial_recognition`. Berbix disallows it
   * by default: with `false`, such a transaction is refused with 403. [sdk: node README]
   * @default true
   */
  facialRecognition?: boolean | undefined;
  /**
   * Whether results have links to images, which Berbix adds on request. A link is valid for 15 minutes
   * and shows a placeholder. [sdk: go types.go]
   * @default false
   */
  images?: boolean | undefined;
  /**
   * The action for each flag. The first entry whose flag was raised decides, so the most serious flag
   * comes first. Without flags, the action is `accept`; for flags without an entry, `review`.
   * @default { id_blocked: 'reject', id_blocked_possible: 'reject', id_photocopy_detected: 'reject', id_under_18: 'reject' }
   */
  actionMap?: Readonly<Record<string, string>> | undefined;
  /**
   * Days until everything about a transaction is purged; then it is 410.
   * [doc: docs/frequently-asked-questions]
   * @default 30
   */
  retentionDays?: number | undefined;
  /**
   * New test transactions are refused with 429 once this many were completed within four hours. [doc: reference/createtransaction]
   * @default Infinity
   */
  testCompletionLimit?: number | undefined;
  /**
   * Directory that keeps transactions, secrets and the key of the tokens for the next run. Needs the
   * package `@electric-sql/pglite`.
   * @default everything is in memory
   */
  dataDir?: string | undefined;
  /** The two webhooks; their URLs can also be set later. */
  webhooks?: SandboxWebhooksOptions | undefined;
}

/** One of the two webhooks. */
export interface WebhookOptions {
  /** Where to send it; without a URL, nothing is sent. `sandbox.webhooks.setUrl()` changes it. */
  url?: string | undefined;
  /**
   * The secret that signs it.
   * @default a random one
   */
  secret?: string | undefined;
}

/** The two webhooks and their delivery. */
export interface SandboxWebhooksOptions {
  /** Sent when a verification is complete. */
  finished?: WebhookOptions | undefined;
  /** Sent when the action of a transaction was determined or changed. */
  status?: WebhookOptions | undefined;
  /**
   * Milliseconds before the second attempt; each further pause is twice as long.
   * @default 1000
   */
  retryDelayMs?: number | undefined;
  /**
   * Milliseconds until the head of the answer must have arrived.
   * @default 10000
   */
  timeoutMs?: number | undefined;
  /** CA certificates (PEM) to trust for `https:` URLs, in addition to the default ones. */
  ca?: string | undefined;
  /**
   * Send to `https:` URLs without checking the certificate; anyone on the network path can then
   * read and change webhooks. Prefer `ca`.
   * @default false
   */
  insecure?: boolean | undefined;
}

/** An invalid option of the sandbox; the message names it and says what it must be. */
export class SandboxOptionError extends Error {
  override readonly name = 'SandboxOptionError';

  constructor(
    /** The name of the option, such as `port` or `webhooks.status.url`. */
    readonly option: string,
    /** The rest of a sentence that begins with the option. */
    readonly problem: string,
  ) {
    super(`The sandbox option "${option}" ${problem}.`);
  }
}
