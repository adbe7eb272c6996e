import type { SandboxWebhooksOptions } from './webhooks/webhook.options.js';

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

/**
 * What the API-only template wants of the document.
 *
 * - `photo`: its front and, if it has a second side with data, its back.
 * - `barcode`: its barcode alone, as an image or as an ID scan.
 * - `barcode-or-photo`: the same, and photos after an ID scan that failed. [doc: reference/idscans]
 */
export type ApiOnlyDocument = 'photo' | 'barcode' | 'barcode-or-photo';

/** Which selfie the API-only template wants after the document. [doc: reference/uploadimages] */
export type ApiOnlySelfie = 'none' | 'basic' | 'liveness';

/** Options of `BerbixSandbox.start()`. All of them may be left out. */
export interface BerbixSandboxOptions {
  /**
   * Port of the plain HTTP listener; 0 takes a free one, so that two runs never collide.
   * @default 0
   */
  port?: number | undefined;
  /**
   * IP address to listen on. Another one than the default opens the sandbox, which has no login, to
   * the network: `0.0.0.0` is for a container whose ports are published to this machine only.
   * @default '127.0.0.1'
   */
  host?: string | undefined;
  /**
   * Where others reach the sandbox, such as `http://berbix:4010` from another container. Links and
   * `sandbox.url` use it, its name is accepted as `Host`, and the certificate is valid for it. It has
   * no path.
   * @default the address on which the sandbox listens
   */
  publicUrl?: string | undefined;
  /**
   * Listen for HTTPS too, with a certificate from an authority made for this run. The official Node
   * and Ruby SDKs speak nothing else. Needs the package `@peculiar/x509`. [sdk: node lib/berbix.js]
   * @default false
   */
  tls?: boolean | undefined;
  /**
   * Port of the HTTPS listener; 0 takes a free one.
   * @default 0
   */
  tlsPort?: number | undefined;
  /**
   * How long access and client tokens live, in seconds. [doc: docs/platform-overview]
   * @default 3600
   */
  tokenTtlSeconds?: number | undefined;
  /**
   * What an exchange does with the refresh token.
   * @default 'omit'
   */
  refreshToken?: RefreshTokenMode | undefined;
  /**
   * With `refreshToken: 'rotate'`: for how many seconds the token before the current one still
   * works. It is answered with the same successor. 0 is strict: it is dead at once. Refused with
   * another mode, where it would do nothing.
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
   * Transaction ids above 2^53, which a client that reads them as JavaScript numbers gets wrong.
   * @default false (ids near 10^15)
   */
  largeIds?: boolean | undefined;
  /**
   * What the API-only template wants of the document. Nobody looks at what is uploaded, but its bytes
   * may say what is found: `issue:text_unreadable` lets the upload fail with that issue, so that it
   * has to be repeated, and `flag:id_expired` lets the result have that flag; commas separate several.
   * @default 'photo'
   */
  apiOnlyDocument?: ApiOnlyDocument | undefined;
  /**
   * Which selfie the API-only template wants.
   * @default 'none'
   */
  apiOnlySelfie?: ApiOnlySelfie | undefined;
  /**
   * Whether the account may send `consents_to_automated_facial_recognition`. Berbix disallows it
   * unless asked: with `false`, a transaction that has it is refused with 403. [sdk: node README]
   * @default true
   */
  facialRecognition?: boolean | undefined;
  /**
   * Whether results have links to images, which the account of Berbix would have to ask for: each is
   * good for a quarter of an hour and leads to a placeholder. [sdk: go types.go]
   * @default false
   */
  images?: boolean | undefined;
  /**
   * The action for a result, by flag: the first entry whose flag was raised decides, so the gravest
   * comes first. No flags make `accept`, flags without an entry `review`.
   * @default { id_blocked: 'reject', id_blocked_possible: 'reject', id_photocopy_detected: 'reject', id_under_18: 'reject' }
   */
  actionMap?: Readonly<Record<string, string>> | undefined;
  /**
   * After how many days everything about a transaction is purged; it is 410 from then on.
   * [doc: docs/frequently-asked-questions]
   * @default 30
   */
  retentionDays?: number | undefined;
  /**
   * How many test transactions may have been completed within the last four hours before the
   * creation of another one is refused with 429. [doc: reference/createtransaction]
   * @default Infinity
   */
  testCompletionLimit?: number | undefined;
  /**
   * Directory in which transactions, secrets and the key of the tokens outlive the sandbox. Needs the
   * package `@electric-sql/pglite`.
   * @default none: all of it is in memory
   */
  dataDir?: string | undefined;
  /** The two webhooks; a URL can also be set later. */
  webhooks?: SandboxWebhooksOptions | undefined;
}
