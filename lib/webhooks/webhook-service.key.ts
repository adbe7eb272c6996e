/**
 * Where the BerbixWebhookService of an account is found in the whole application; its class alone
 * names that of no account in particular.
 */
export function webhookServiceKey(account: string | undefined): symbol {
  return Symbol.for(`berbix:webhook-service:${account ?? ''}`);
}
