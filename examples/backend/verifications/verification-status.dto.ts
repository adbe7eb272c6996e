import type { BerbixVerificationStatus } from 'nestjs-berbix';

/** The status that the application knows, which may be shown to the customer. */
export class VerificationStatusDto {
  status!: BerbixVerificationStatus;
  /** The time of that status; null if no verification was begun. */
  since!: Date | null;
}
