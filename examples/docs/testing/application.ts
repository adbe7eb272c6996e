import { Injectable, Module } from '@nestjs/common';
import { BerbixModule, BerbixVerificationService, berbixConfig } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';

/** The account in its own module, which tests replace. */
@Module({
  imports: [BerbixModule.forRootAsync(berbixConfig.asProvider())],
  exports: [BerbixModule],
})
export class AccountModule {}

@Injectable()
export class Admission {
  constructor(private readonly verifications: BerbixVerificationService) {}

  async admits(customerUid: string): Promise<boolean> {
    const { status } = await firstValueFrom(this.verifications.result(customerUid));
    return status === 'accepted';
  }
}

@Module({ imports: [AccountModule], providers: [Admission] })
export class AppModule {}
