import { BerbixModule, BerbixTokenService, BerbixTransactionService } from 'nestjs-berbix';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';

export async function testWithSandbox(): Promise<void> {
  const sandbox = await BerbixSandbox.start({ refreshToken: 'rotate' });
  const module = await Test.createTestingModule({
    imports: [BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url })],
  }).compile();

  const created = await firstValueFrom(
    module
      .get(BerbixTransactionService)
      .create({ customerUid: 'ada', templateKey: sandbox.templateKeys.sdk }),
  );

  // An hour later, while the API fails at first.
  sandbox.clock.advance(3_600_000);
  sandbox.faults.add({ kind: 'status', status: 503, retryAfter: 1 });
  const fresh = await firstValueFrom(module.get(BerbixTokenService).refresh(created));

  console.log(fresh.refreshToken !== created.refreshToken, sandbox.requests.length); // true 3
  await module.close();
  await sandbox.close();
}
