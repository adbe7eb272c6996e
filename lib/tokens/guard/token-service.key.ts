/**
 * Where the BerbixTokenService of an account is found in the whole application; its class alone
 * names that of no account in particular.
 */
export function tokenServiceKey(account: string | undefined): symbol {
  return Symbol.for(`berbix:token-service:${account ?? ''}`);
}
