import { Controller, Inject, Post, UseFilters, UseGuards } from '@nestjs/common';
import {
  BerbixExceptionFilter,
  BerbixVerificationService,
  type VerificationStartDto,
} from 'nestjs-berbix';
import type { Observable } from 'rxjs';
import { SignedInCustomer, SignedInGuard } from '../signed-in.guard.js';

@Controller('verification')
@UseFilters(BerbixExceptionFilter)
@UseGuards(SignedInGuard)
export class BeginController {
  constructor(
    @Inject(BerbixVerificationService) private readonly verifications: BerbixVerificationService,
  ) {}

  /** For the first visit and for every later one. */
  @Post()
  begin(@SignedInCustomer() uid: string): Observable<VerificationStartDto> {
    return this.verifications.begin(uid, { templateKey: process.env['BERBIX_TEMPLATE_KEY'] ?? '' });
  }
}
