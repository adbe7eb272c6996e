import type { TransactionDto } from 'nestjs-berbix';

/** What a customer may see of the result: of the data of their ID, only their name. */
export class VerificationResultDto {
  /** For support requests. */
  transactionId!: string;
  /** The result; null while there is none. */
  action!: string | null;
  /** As on the ID; null until it was read. */
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
