import { BerbixInputError, readInput } from '../errors/index.js';
import { requireUid } from '../tokens/index.js';
import type { CreateHostedTransactionDto } from '../transactions/index.js';
import { creationToWire, hostedCreationToWire } from '../transactions/to-wire.js';

/** The options of a verification. */
export interface BeginVerification extends Omit<CreateHostedTransactionDto, 'customerUid'> {
  /**
   * `sdk`: in your page or app, with the Berbix front end. `hosted`: on a page at Berbix; only then
   * do `completionEmail` and `redirectUrl` apply.
   * @default 'sdk'
   */
  kind?: 'sdk' | 'hosted' | undefined;

  /**
   * Begins a new attempt if the previous one is finished. Without it that is a conflict, so that
   * nobody is verified twice by mistake.
   * @default false
   */
  again?: boolean | undefined;
}

/** The options, validated and with defaults. */
export interface VerificationPlan {
  readonly kind: 'sdk' | 'hosted';
  readonly again: boolean;
  readonly transaction: CreateHostedTransactionDto;
}

/**
 * Validates the options, even if the verification will be resumed and nothing is sent: a mistake
 * shows at the first call.
 *
 * @throws {BerbixInputError} that names the mistake, also a misspelt name
 */
export function parseBeginOptions(
  customerUid: string,
  options: BeginVerification,
): VerificationPlan {
  const expected = 'A verification is begun with an object that has a templateKey.';
  const { kind = 'sdk', again = false, ...rest } = readInput(expected, () => ({ ...options }));
  if (kind !== 'sdk' && kind !== 'hosted') {
    throw new BerbixInputError("kind must be 'sdk' or 'hosted', or left out for 'sdk'.");
  }
  // A text such as 'false' would begin another attempt.
  if (typeof again !== 'boolean') {
    throw new BerbixInputError('again must be true or false, or left out for false.');
  }
  const transaction = { ...rest, customerUid: requireUid(customerUid) };
  if (kind === 'sdk') creationToWire(transaction);
  else hostedCreationToWire(transaction);
  return { kind, again, transaction };
}
