import type { TransactionDto } from 'nestjs-berbix';

/** What a customer is told of the result: of what was read from his ID, his name and no more. */
export class VerificationResultDto {
  /** To name in a support request. */
  transactionId!: string;
  /** What came of it; null while it is not determined. */
  action!: string | null;
  /** As on the ID; null while it was not read. */
  name!: string | null;

  static of({ id, action, fields }: TransactionDto): VerificationResultDto {
    const { given_name: given, family_name: family } = fields;
    const name = [given?.value, family?.value].filter(Boolean).join(' ');
    return Object.assign(new VerificationResultDto(), {
      transactionId: id,
      action: action ?? null,
      name: name || null,
    });
  }
}
