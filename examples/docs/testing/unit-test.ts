import { BerbixTokenService, BerbixVerificationService } from 'nestjs-berbix';
import { FakeBerbix } from 'nestjs-berbix/testing';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';

/** A unit test of an application with a rejected verification. */
export async function rejectedInUnitTest(): Promise<string> {
  const berbix = new FakeBerbix();
  const module = await Test.createTestingModule({
    // Your own services, which inject these.
    providers: [
      { provide: BerbixVerificationService, useValue: berbix.verifications },
      { provide: BerbixTokenService, useValue: berbix.tokens },
    ],
  }).compile();

  const verifications = module.get(BerbixVerificationService);
  await firstValueFrom(verifications.begin('ada', { templateKey: 'tpk_any' }));
  berbix.finish('ada', 'reject', ['id_expired']);
  const { status } = await firstValueFrom(verifications.result('ada'));
  await module.close();
  return status; // 'rejected'
}
