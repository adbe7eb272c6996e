import { Controller, Delete, Get, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
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
 * The signed-in customer's verification. Only the client token or the URL of the page leaves this
 * backend: anybody with the access or refresh token could act in its place.
 */
@Controller('verification')
@UseGuards(SignedInGuard)
export class VerificationsController {
  constructor(
    private readonly verifications: VerificationsService,
    private readonly transactions: BerbixTransactionService,
  ) {}

  /** Begins or resumes it; 409 if it is finished. */
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

  /**
   * The guard gets the customer from SignedInGuard, which runs first. 404 without a verification.
   */
  @Get('result')
  @Header('Cache-Control', 'no-store')
  @RequireFreshTokens(({ customerUid }: SignedInRequest) => ({ customerUid }))
  result(@FreshTokens() tokens: BerbixTokens): Observable<VerificationResultDto> {
    return this.transactions.fetch(tokens).pipe(map(VerificationResultDto.of));
  }

  /** Deletes everything, here and at Berbix. */
  @Delete()
  @HttpCode(204)
  erase(@SignedInCustomer() customerUid: string): Promise<void> {
    return this.verifications.erase(customerUid);
  }
}
