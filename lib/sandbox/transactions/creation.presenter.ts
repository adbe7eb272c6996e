import type { Transaction } from './transaction.js';

/** What only the answer to a creation has. [doc: docs/api-only-integration-guide] */
export function presentCreation(
  { kind, state }: Transaction,
  hostedUrl: string,
): Record<string, string> {
  if (kind === 'hosted') return { hosted_url: hostedUrl };
  const [step] = state.status === 'open' ? state.steps : [];
  return step === undefined ? {} : { first_step: step };
}
