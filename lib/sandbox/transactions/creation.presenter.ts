import type { Transaction } from './transaction.js';

/** What only the answer to a creation has. [doc: docs/api-only-integration-guide] */
export function presentCreation(
  { hostedClaim, state }: Transaction,
  baseUrl: string,
): Record<string, string> {
  // ASSUMPTION: the form of the URL; the real host and path are not known.
  if (hostedClaim !== undefined) return { hosted_url: `${baseUrl}/hosted/${hostedClaim}` };
  const [step] = state.status === 'open' ? state.steps : [];
  return step === undefined ? {} : { first_step: step };
}
