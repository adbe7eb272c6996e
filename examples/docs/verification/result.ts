import { Controller, Get, UseFilters, UseGuards } from '@nestjs/common';
import {
  BerbixExceptionFilter,
  BerbixVerificationService,
  type VerificationResultDto,
  type BerbixVerificationStatus,
} from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';
import { SignedInCustomer, SignedInGuard } from '../signed-in.guard.js';

@Controller('verification')
@UseFilters(BerbixExceptionFilter)
@UseGuards(SignedInGuard)
export class ResultController {
  constructor(private readonly verifications: BerbixVerificationService) {}

  /** For the browser: only the status, without data of the ID. */
  @Get('status')
  status(@SignedInCustomer() uid: string): Observable<{ status: BerbixVerificationStatus }> {
    return this.verifications.result(uid).pipe(map(({ status }) => ({ status })));
  }
}

/** For the backend: the name on the ID, if the verification was accepted. */
export function nameOf({ status, transaction }: VerificationResultDto): string | undefined {
  if (status !== 'accepted') return undefined;
  const { given_name: given, family_name: family } = transaction?.fields ?? {};
  return [given?.value, family?.value].filter(Boolean).join(' ');
}
