import { BerbixTransactionService } from 'nestjs-berbix';
import { FakeClock } from 'nestjs-berbix/testing';
import type { INestApplication } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';

/** Ada comes back after an hour, when her access token has expired. */
export async function adaAnHourLater(app: INestApplication): Promise<void> {
  const clock = FakeClock.install();
  try {
    // A sandbox in this process follows this clock.
    clock.advance(3_600_000);
    await firstValueFrom(app.get(BerbixTransactionService).fetch({ customerUid: 'ada' }));
  } finally {
    clock.uninstall();
  }
}
