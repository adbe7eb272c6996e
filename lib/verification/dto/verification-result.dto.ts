import { TransactionDto } from '../../transactions/index.js';

/**
 * The status of a customer's verification.
 *
 * - `not_started`: the store has none.
 * - `in_progress`: begun, but without a result.
 * - `accepted`, `rejected`, `review`: by the account's action map, or by a person.
 * - `other`: a custom action of the account; see `transaction.action`.
 * - `gone`: deleted or purged at Berbix, or forgotten.
 */
export type BerbixVerificationStatus =
  | 'not_started'
  | 'in_progress'
  | 'accepted'
  | 'rejected'
  | 'review'
  | 'other'
  | 'gone';

/** A Map, since an action may be any word, also the name of a property that every object has. */
const STATUSES: ReadonlyMap<string, BerbixVerificationStatus> = new Map([
  ['accept', 'accepted'],
  ['reject', 'rejected'],
  ['review', 'review'],
]);

/**
 * The result of a customer's current verification. For the backend only: it contains the data of
 * their ID.
 */
export class VerificationResultDto {
  /** What the result means for the customer. */
  status!: BerbixVerificationStatus;
  /** As the API returns it; absent if there is none. */
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
      status: {
        required: true,
        enum: ['not_started', 'in_progress', 'accepted', 'rejected', 'review', 'other', 'gone'],
        description: 'What the result means for the customer.',
      },
      transaction: {
        required: false,
        type: () => TransactionDto,
        description: 'As the API returns it; absent if there is none.',
      },
    };
  }
}
