import type { VerificationStatus } from 'nestjs-berbix';

/** How it stands with a customer, as the application knows; his browser may know it too. */
export class VerificationStatusDto {
  status!: VerificationStatus;
  /** When that was noted; null if nothing was begun. */
  since!: Date | null;
}
