import type { BerbixVerificationService, VerificationStartDto } from 'nestjs-berbix';
import type { Observable } from 'rxjs';

/** On a page at Berbix: send the customer to `hostedUrl`. */
export function beginHosted(
  verifications: BerbixVerificationService,
  customerUid: string,
  templateKey: string,
): Observable<VerificationStartDto> {
  return verifications.begin(customerUid, {
    kind: 'hosted',
    templateKey,
    redirectUrl: 'https://bank.example/verified',
  });
}
