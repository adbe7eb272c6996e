import { TransactionDto } from '../../transactions/index.js';

/**
 * Where a customer's verification stands.
 *
 * - `not_started`: the store knows of none.
 * - `in_progress`: begun, and not determined.
 * - `accepted`, `rejected`, `review`: by the account's action map, or by a person.
 * - `other`: an action of the account's own; it is in `transaction.action`.
 * - `gone`: deleted or purged at Berbix, or forgotten.
 */
export type VerificationStatus =
  'not_started' | 'in_progress' | 'accepted' | 'rejected' | 'review' | 'other' | 'gone';

/** A Map: an action may be any word, also one that every object has as a property. */
const STATUSES: ReadonlyMap<string, VerificationStatus> = new Map([
  ['accept', 'accepted'],
  ['reject', 'rejected'],
  ['review', 'review'],
]);

/** What came of a customer's current verification. It is for the backend: it holds what was read from his ID. */
export class VerificationResultDto {
  status!: VerificationStatus;
  /** As the API gives it; absent where there is none. */
  transaction?: TransactionDto | undefined;

  /** @internal */
  static of(transaction: TransactionDto): VerificationResultDto {
    const { action } = transaction;
    const status = action === undefined ? 'in_progress' : (STATUSES.get(action) ?? 'other');
    return Object.assign(new VerificationResultDto(), { status, transaction });
  }

  /** @internal */
  static without(status: 'not_started' | 'gone'): VerificationResultDto {
    return Object.assign(new VerificationResultDto(), { status });
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      status: { required: true, type: () => String },
      transaction: { required: false, type: () => TransactionDto },
    };
  }
}
