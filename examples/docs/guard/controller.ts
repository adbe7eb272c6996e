import { Controller, Get, UseFilters, UseGuards } from '@nestjs/common';
import {
  BerbixExceptionFilter,
  BerbixTransactionService,
  FreshTokens,
  type BerbixTokens,
} from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';
import { SignedInGuard } from '../signed-in.guard.js';
import { RequireOwnTokens } from './own-tokens.js';

@Controller('verification')
@UseFilters(BerbixExceptionFilter)
@UseGuards(SignedInGuard)
export class VerificationController {
  constructor(private readonly transactions: BerbixTransactionService) {}

  @Get('flags')
  @RequireOwnTokens()
  flags(@FreshTokens() tokens: BerbixTokens): Observable<string[]> {
    return this.transactions.fetch(tokens).pipe(map(({ flags }) => flags));
  }
}
