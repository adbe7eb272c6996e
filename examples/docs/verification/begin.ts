import { Controller, Inject, Post, UseFilters, UseGuards } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import {
  BerbixExceptionFilter,
  BerbixVerificationService,
  berbixConfig,
  type VerificationStartDto,
} from 'nestjs-berbix';
import type { Observable } from 'rxjs';
import { SignedInCustomer, SignedInGuard } from '../signed-in.guard.js';

@Controller('verification')
@UseFilters(BerbixExceptionFilter)
@UseGuards(SignedInGuard)
export class BeginController {
  readonly #templateKey: string;

  constructor(
    private readonly verifications: BerbixVerificationService,
    @Inject(berbixConfig.KEY) config: ConfigType<typeof berbixConfig>,
  ) {
    // Here, so that a missing BERBIX_TEMPLATE_KEY stops the boot.
    this.#templateKey = config.templateKey;
  }

  /** For the first visit and for every later one. */
  @Post()
  begin(@SignedInCustomer() uid: string): Observable<VerificationStartDto> {
    return this.verifications.begin(uid, { templateKey: this.#templateKey });
  }
}
