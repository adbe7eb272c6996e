import { BerbixInputError, readInput } from '../errors/index.js';
import {
  creationToWire,
  hostedCreationToWire,
  type CreateHostedTransactionDto,
} from '../transactions/index.js';
import { requireUid } from '../values/index.js';

/** The options of a verification. */
export interface BerbixVerificationOptions extends Omit<CreateHostedTransactionDto, 'customerUid'> {
  /**
   * `sdk`: in your page or app, with the Berbix front end. `hosted`: on a page at Berbix; only then
   * do `completionEmail` and `redirectUrl` apply.
   * @default 'sdk'
   */
  kind?: 'sdk' | 'hosted' | undefined;

  /**
   * Begins a new attempt if the previous one is finished. By default that is a conflict, so that no
   * customer is verified twice by mistake.
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
 * Validates the options, even if the verification will be resumed and nothing is sent, so that the
 * first call reports a mistake.
 *
 * @throws {BerbixInputError} that names the mistake, also a misspelled name
 */
export function parseBeginOptions(
  customerUid: string,
  options: BerbixVerificationOptions,
): VerificationPlan {
  const expected = 'begin() takes an object with a templateKey.';
  const { kind = 'sdk', again = false, ...rest } = readInput(expected, () => ({ ...options }));
  if (kind !== 'sdk' && kind !== 'hosted') {
    throw new BerbixInputError("kind must be 'sdk' or 'hosted'; the default is 'sdk'.");
  }
  // A text such as 'false' would begin another attempt.
  if (typeof again !== 'boolean') {
    throw new BerbixInputError('again must be true or false; the default is false.');
  }
  const transaction = { ...rest, customerUid: requireUid(customerUid) };
  if (kind === 'sdk') creationToWire(transaction);
  else hostedCreationToWire(transaction);
  return { kind, again, transaction };
}
