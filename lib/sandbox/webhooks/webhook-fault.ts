/**
 * What can be wrong with a webhook, in all of its tries.
 *
 * - `duplicate`: once it was delivered, or given up, it comes again.
 * - `late`: the timestamp is a day old, which no SDK takes; the signature fits it.
 * - `unsigned`: there is no signature.
 * - `forged`: it is signed with another secret.
 */
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number];

/** All of them. */
export const WEBHOOK_FAULTS = ['duplicate', 'late', 'unsigned', 'forged'] as const;
