import { Controller, Delete, Get, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import {
  BerbixTransactionService,
  FreshTokens,
  RequireFreshTokens,
  type BerbixTokens,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';
import { SignedInCustomer, SignedInGuard, type SignedInRequest } from '../auth/signed-in.guard.js';
import { VerificationResultDto } from './verification-result.dto.js';
import type { VerificationStatusDto } from './verification-status.dto.js';
import { VerificationsService } from './verifications.service.js';

/**
 * The signed-in customer's verification. The client token, or the URL of the page, is all that leaves
 * this backend: whoever has the access or the refresh token can act in its place.
 */
@Controller('verification')
@UseGuards(SignedInGuard)
export class VerificationsController {
  constructor(
    @Inject(VerificationsService) private readonly verifications: VerificationsService,
    @Inject(BerbixTransactionService) private readonly transactions: BerbixTransactionService,
  ) {}

  /** Begins it, or takes it up again; 409 when it is finished. */
  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  begin(@SignedInCustomer() customerUid: string): Promise<VerificationStartDto> {
    return this.verifications.begin(customerUid);
  }

  @Post('again')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  beginAgain(@SignedInCustomer() customerUid: string): Promise<VerificationStartDto> {
    return this.verifications.beginAgain(customerUid);
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  status(@SignedInCustomer() customerUid: string): Promise<VerificationStatusDto> {
    return this.verifications.status(customerUid);
  }

  /** Of whom the guard knows from SignedInGuard, which runs first; without a verification it is 404. */
  @Get('result')
  @Header('Cache-Control', 'no-store')
  @RequireFreshTokens(({ customerUid }: SignedInRequest) => ({ customerUid }))
  result(@FreshTokens() tokens: BerbixTokens): Observable<VerificationResultDto> {
    return this.transactions.fetch(tokens).pipe(map(VerificationResultDto.of));
  }

  /** Deletes all of it, here and at Berbix. */
  @Delete()
  @HttpCode(204)
  forget(@SignedInCustomer() customerUid: string): Promise<void> {
    return this.verifications.forget(customerUid);
  }
}
