/**
 * The secrets of one hook, from its page in the dashboard: one, several while they are rotated, or a
 * function that gives those in force now; it is asked once per delivery, which is refused with 503
 * where the function fails or does not answer within five seconds.
 */
export type BerbixWebhookSecrets =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>);

/** How webhooks of one account are checked. Each of the two hooks has a secret of its own. */
export interface BerbixWebhookOptions {
  /** Of the hook that tells that somebody completed the flow. Without it that hook is refused. */
  finished?: BerbixWebhookSecrets | undefined;

  /** Of the hook that tells that the action was determined or changed. Without it that hook is refused. */
  status?: BerbixWebhookSecrets | undefined;

  /**
   * Milliseconds by which the time of a signature may differ from now, in either direction.
   * @default 300000
   */
  toleranceMs?: number | undefined;

  /**
   * Milliseconds for which handlers have a delivery to themselves. If the process dies meanwhile, the
   * next try after that time is handled. Longer than your handlers take, shorter than Berbix goes on
   * trying, of which nothing is documented; the sandbox's last try comes after 15 seconds.
   * @default 10000
   */
  leaseMs?: number | undefined;

  /**
   * Whether a webhook of a kind that no method handles is confirmed, and so dropped. Otherwise it is
   * answered 500, so that Berbix sends it again and nothing is lost while a handler is missing.
   * @default false
   */
  confirmUnhandled?: boolean | undefined;
}
