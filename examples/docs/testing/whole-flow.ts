import { BerbixTransactionService, BerbixVerificationService } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { INestApplication } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';

/** A customer's verification with its webhooks; the second one is sent twice. */
export async function verifyAda(app: INestApplication, sandbox: BerbixSandbox): Promise<void> {
  const hooks = `${await app.getUrl()}/webhooks/berbix`;
  sandbox.webhooks.setUrl('finished', `${hooks}/finished`);
  sandbox.webhooks.setUrl('status', `${hooks}/status`);
  sandbox.webhooks.failNext('duplicate', 'status');

  const verifications = app.get(BerbixVerificationService);
  const { sdk: templateKey } = sandbox.templateKeys;
  await firstValueFrom(verifications.begin('ada', { templateKey }));

  // Instead of Ada in front of the camera.
  const result = { responsePayload: 'us-dl' } as const;
  await firstValueFrom(app.get(BerbixTransactionService).override({ customerUid: 'ada' }, result));
  await sandbox.webhooks.settled();
}
