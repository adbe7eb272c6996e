import { BerbixTransactionService } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { FakeClock } from 'nestjs-berbix/testing';
import type { INestApplication } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';

/** Ada comes back after an hour, when her access token has ended. */
export async function adaAnHourLater(app: INestApplication, sandbox: BerbixSandbox): Promise<void> {
  const clock = FakeClock.install();
  try {
    clock.advance(3_600_000);
    sandbox.clock.advance(3_600_000);
    await firstValueFrom(app.get(BerbixTransactionService).fetch({ customerUid: 'ada' }));
  } finally {
    clock.uninstall();
  }
}
