/** One of the two webhooks. */
export interface WebhookOptions {
  /** Where it goes; can be set later with `sandbox.webhooks.setUrl()`. Without a URL nothing is sent. */
  url?: string | undefined;
  /**
   * What it is signed with.
   * @default a random one
   */
  secret?: string | undefined;
}

/** The two webhooks, each with a URL and a secret of its own, and how they are delivered. */
export interface SandboxWebhooksOptions {
  /** Sent when a verification is complete. */
  finished?: WebhookOptions | undefined;
  /** Sent when the action of a transaction was determined or changed. */
  status?: WebhookOptions | undefined;
  /**
   * Milliseconds before the second try; each further wait is twice as long.
   * @default 1000
   */
  retryDelayMs?: number | undefined;
  /**
   * Milliseconds that a try may take until the head of the answer has arrived.
   * @default 10000
   */
  timeoutMs?: number | undefined;
  /** Certificates in PEM of authorities that `https:` URLs may be signed by, beside the usual ones. */
  ca?: string | undefined;
}
