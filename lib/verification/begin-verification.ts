import { BerbixInputError, readInput } from '../errors/index.js';
import { requireUid } from '../tokens/index.js';
import type { CreateHostedTransactionDto } from '../transactions/index.js';
import { creationToWire, hostedCreationToWire } from '../transactions/to-wire.js';

/** With what a verification is begun. */
export interface BeginVerification extends Omit<CreateHostedTransactionDto, 'customerUid'> {
  /**
   * `sdk`: in your page or app, with the Berbix front end. `hosted`: on a page of Berbix's, for which
   * `completionEmail` and `redirectUrl` are.
   * @default 'sdk'
   */
  kind?: 'sdk' | 'hosted' | undefined;

  /**
   * Begins a new attempt where the one before is finished. Without it that is a conflict, so that nobody
   * is verified twice by mistake.
   * @default false
   */
  again?: boolean | undefined;
}

/** The same, checked and complete. */
export interface VerificationPlan {
  readonly kind: 'sdk' | 'hosted';
  readonly again: boolean;
  readonly transaction: CreateHostedTransactionDto;
}

/**
 * Checks what a verification is begun with, also where it will be taken up again and nothing of it
 * is sent: a mistake shows at the first call.
 *
 * @throws {BerbixInputError} that names what is wrong, misspelt names included
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
