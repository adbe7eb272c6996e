import { isBerbixError, type BerbixVerificationService } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';

/** Deletes everything about a customer; false if it has to be repeated later. */
export async function eraseCustomer(
  verifications: BerbixVerificationService,
  customerUid: string,
): Promise<boolean> {
  try {
    await firstValueFrom(verifications.erase(customerUid));
    return true;
  } catch (error) {
    if (isBerbixError(error) && error.retryable) return false;
    throw error;
  }
}
